. tests/lib.sh
for open in '(' '[' '{' '[(' 'f(' 'x[' '-' 'not ' 'x -> ' 'record < ' 'if true { ' 'a = ' '2 ^ ' 'f"{'; do
    { printf 'x = '; many 100000 "$open"; } | wants 1 error -
done
{ printf 'x = '; many 100000 '['; printf 1; many 100000 ']'; } | wants 1 nest -
