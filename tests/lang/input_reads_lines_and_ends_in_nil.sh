# What was printed is out before input waits, so that a pipe can be answered line by line.
got=$(printf 'one\ntwo\r\nthree' | $adl -e 'line = input(); while line != nil { print("got", line); line = input() }')
[ "$got" = "got one
got two
got three" ] || echo "got: $got"
