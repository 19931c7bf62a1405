# What was printed is out before input waits, so that a pipe can be answered line by line.
. tests/lib.sh
code='line = input(); while line != nil { print("got", line); line = input() }'
printf 'one\ntwo\r\nthree' | wants 0 'got one
got two
got three' -e "$code"
