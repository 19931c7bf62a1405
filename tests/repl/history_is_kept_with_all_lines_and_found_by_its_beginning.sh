. tests/terminal.sh
file=$home/.local/state/adl/history
terminal 70 24
enters 'x = 1' 'y = 20' 'for i in range(1) {' '# a remark, no time stamp' 'print(i)' '}'
sees '...> }
0'
enters 'x = 1' ' secret = 3'; sees 'secret'
gives '-rw-------' ls -l "$file"
gives 'a remark' cat "$file"                  # appended at once
gives 0 grep -c secret "$file"
enters quit; sees 'ended with 0'
terminal 70 24
types 'x'; presses Up; sees 'adl> x = 1'      # by its beginning
presses C-a C-k; types 'fo'; presses Up
sees '...>     # a remark, no time stamp'
sees 'adl> for i in range(1) {'
presses C-c; sees '^C
adl>'; presses C-l
presses C-p; types '2'; sees 'adl> x = 12'      # a repeated statement is there once, as the newest
presses C-u C-p; sees 'adl> for i'; presses C-c; sees '^C
adl>'
presses C-r; types '20'; sees "\`20': y = 20"; presses Enter; sees 'adl> y = 20'; enters 'y'; sees 'adl> y
20
adl>'
presses C-d; sees 'ended with 0'
chmod 000 "$file"; rm -f "$file"; mkdir "$file"; terminal 70 24   # a folder, where the file should be
sees 'the history is not kept'; enters '1 + 1'; sees '2
adl>'
rm -r "$file"; i=0
while [ $i -lt 12000 ]; do i=$((i + 1)); printf '\001%d\nz = %d\n' $i $i; done >"$file"
terminal 70 24
enters '1 + 2'; sees '3
adl>'
gives 10001 grep -c '^z\|^1 + 2' "$file"     # cut to 10 000 at the start
printf '\001\002\377\000junk\n\nx\n' >"$file"
terminal 70 24; presses Up; enters ''; enters '2 + 2'; sees '4
adl>'
