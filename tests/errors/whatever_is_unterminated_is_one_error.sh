. tests/lib.sh
while read -r program; do
    printf '%s\n' "$program" | wants 1 error -
done <<'END'
x = "abc
x = """abc
x = f"{1
x = f"{1}
x = (1, 2
x = [1, 2
x = {a: 1
x = {a:
fn f(
fn f(x) {
if true {
while true {
for i in
for i in (1, 2) {
record < x = 1
record {
try { x = 1
try { x = 1 }
x = 1 +
x = x ->
import
extern "libm.so.6" {
x = "\u{
x = "\
x[
x.
END
