#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Every open struct of the installed headers, and every member of one, has a row in the test of layouts.
#
# usage: structs.sh INCLUDE_DIR TEST_SOURCE
set -euo pipefail

# Comments go first; then each struct's body, its declarations split at semicolons and commas.
cat "$1"/oci-wasm/*.h | perl -0777 -e '
    my $headers = <STDIN>;
    open(my $file, "<", $ARGV[0]) or die "$ARGV[0]: $!";
    my $rows = do { local $/; <$file> };
    my $status = 0;
    my $structs = 0;
    $headers =~ s{/\*.*?\*/}{}gs;
    while ($headers =~ /typedef struct \w+ \{(.*?)\n\} (\w+);/gs) {
        my ($body, $name) = ($1, $2);
        $structs++;
        $rows =~ /(?:SIZE|VALUE)\("[^"]+", $name, \d+\)/ or $status = 1, print "$name has no size row\n";
        for my $declaration (split /;/, $body) {
            next unless $declaration =~ /\S/;
            my @names = $declaration =~ /\(\*(\w+)\)\s*\(/;
            @names = map { /(\w+)(?:\[[^\]]*\])?\s*$/ } split /,/, $declaration unless @names;
            for my $member (@names) {
                $rows =~ /MEMBER\($name, $member, \d+\)/ or $status = 1, print "$name.$member has no row\n";
            }
        }
    }
    $structs > 20 or $status = 1, print "only $structs structs found\n";
    exit $status;
' "$2"
