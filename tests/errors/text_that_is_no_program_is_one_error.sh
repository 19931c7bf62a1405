. tests/lib.sh
while read -r program; do
    printf '%s\n' "$program" | wants 1 error -
done <<'END'
)
]
}
>
1 2
x = = 2
x +* 2
= 3
1 = x
f(x) = 3
fn
if
for
"a" = 1
x = 1..2
0x
0b2
1e
@
$
x ? y : z
else { 1 }
catch e { }
new
(a, b) -> 
fn f(a, a) { a }
f(a = 1, a = 2)
x = [1, 2
END
