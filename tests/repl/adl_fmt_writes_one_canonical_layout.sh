. tests/lib.sh
# formats WANTED TEXT
formats() {
    got=$(printf '%s' "$2" | "$adl" fmt -)
    [ "$got" = "$1" ] || printf '%s\nbecomes\n%s\nnot\n%s\n' "$2" "$got" "$1"
}
formats 'x = 1 + 2 * -y^2'                'x=1+2*-y ^ 2'
formats 'f(a, b = [1, 2])[0, :]'          'f( a,b=[ 1,2 ] ) [0,:]'
formats 'record < y = x * x > ; backward(y)' 'record<y=x*x>;backward(y)'
formats 'record(train = false) < y = x >' 'record (train=false)<y=x>'
formats 's = {w: 1, "any text": 2}'       's={ w:1,"any text" :2 }'
formats 'g = x -> { x; 1 }'               'g=x->{x;1}'
formats 'if a {
    b = 1  # one
    # two
} else { c }'                             'if a{
 b=1 # one
  # two
  }else{c}'
formats 'a = 1    # short
bcd = 2  # longer

e = 3  # alone'                           'a = 1 # short
bcd = 2   # longer



e = 3      # alone'
formats 'x = sum(
    a,
    b
)'                                        'x = sum(
a,
        b
 )'
formats 'f(a,
  b + g(c,
        d),
  x -> {
      y
  })'                                     'f(a,
b+g(c,
d),
x->{
y
})'
formats 'm = [[1, 2],
     [3, 4]]'                             'm=[[1,2],
        [3,4]]'
formats 'part = x[i : i + n, :, k + 1:, -1:]' 'part=x[i:i+n,:,k+1 :,-1:]'
formats 'h = if a { 1 }
    else if b { 2 }
    else { 3 }
if a { 1 }
else { 2 }'                               'h = if a { 1 }
else if b { 2 }
 else { 3 }
if a { 1 }
   else { 2 }'
folder=$(mktemp -d)
mkdir "$folder/inner"; printf 'x=1\n' >"$folder/inner/b.adl"; printf 'y = 1\n' >"$folder/a.adl"
printf 'no program' >"$folder/c.txt"
[ "$("$adl" fmt --check "$folder")" = "$folder/inner/b.adl" ] || echo "fmt --check of a folder"
wants 0 '' fmt "$folder"; wants 0 '' fmt --check "$folder"; rm -rf "$folder"
file=$(mktemp -d)/a.adl
printf 'x=1\n' >"$file"
wants 3 "$file" fmt --check "$file"
[ "$(cat "$file")" = 'x=1' ] || echo "--check wrote the file"
wants 0 '' fmt "$file"
[ "$(cat "$file")" = 'x = 1' ] || echo "fmt did not write the file"
wants 0 '' fmt --check "$file"
printf '\357\273\277x = 1\r\n' >"$file"
wants 3 "$file" fmt --check "$file"
wants 0 '' fmt "$file"
printf 'x = (\n' >"$file"
wants 3 'expected' fmt "$file"
[ "$(cat "$file")" = 'x = (' ] || echo "fmt wrote a file that does not parse"
rm -rf "$(dirname "$file")"
