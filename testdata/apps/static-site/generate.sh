#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Writes the static-site app into a new folder: 360 small files below site/, the same bytes on
# every machine. Kept as a script because git handles one file better than 360.
#
# usage: testdata/apps/static-site/generate.sh DEST
set -eu

here=$(cd "$(dirname "$0")" && pwd)
dest=${1:?usage: generate.sh DEST}
umask 022
mkdir "$dest" "$dest/site"
cp "$here/spin.toml" "$here/site.wasm" "$dest/"
for part in guide api blog; do
	for chapter in 01 02 03 04 05 06 07 08 09 10; do
		mkdir -p "$dest/site/$part/$chapter"
	done
done
mkdir "$dest/site/static"

LC_ALL=C awk -v root="$dest/site" '
function put(name, text) {
	name = root "/" name
	printf "%s", text > name
	close(name)
}
function page(part, chapter, number,    text, i, lines) {
	text = "<!doctype html>\n<title>" part " " chapter "." number "</title>\n"
	lines = 1 + (number * 7 + chapter * 3) % 23
	for (i = 1; i <= lines; i++)
		text = text "<p>" part " chapter " chapter ", page " number ", line " i ".</p>\n"
	return text
}
BEGIN {
	count = split("guide api blog", parts, " ")
	for (p = 1; p <= count; p++)
		for (c = 1; c <= 10; c++)
			for (n = 1; n <= 11; n++)
				put(sprintf("%s/%02d/page-%02d.html", parts[p], c, n), page(parts[p], c, n))
	for (n = 1; n <= 24; n++)
		put(sprintf("static/icon-%02d.svg", n),
		    sprintf("<svg xmlns=\"http://www.w3.org/2000/svg\"><path d=\"M%d %dh8\"/></svg>\n", n, n * 2))
	put("index.html", "<!doctype html>\n<title>Static site</title>\n<p>Hello.</p>\n")
	put("404.html", "<!doctype html>\n<title>Not found</title>\n")
	put("robots.txt", "User-agent: *\nAllow: /\n")
	put("static/main.css", "body { margin: 2rem auto; max-width: 60rem; }\n")
	put("static/empty.txt", "")
	long = ""
	for (n = 1; n <= 400; n++)
		long = long "word" n (n % 10 ? " " : "\n")
	put("static/words.txt", long)
}'
