# What quiz() says is in tests/tape/lib/quiz_on_a_product.80.txt; here is what counts as right, and how it ends.
program='x = attach_grad([1, 2]); record < y = x * x; f = sum(y) >; rows = quiz(f)
print("given:", rows.map(r -> r.right), rows.map(r -> r.tries))'
asks() {    # asks ANSWERS LINE: one of the lines printed
    printf "$1" | "$adl" -e "$program" | grep -qxF -- "$2" || echo "no \"$2\" after $1"
}
asks '' 'given: () ()'
asks '' 'quiz ends here, before the first answer.'
asks 'q\n' 'given: () ()'
asks '[1, 1]\n2 * x * y_bar\n' 'given: (true, true) (1, 1)'
asks '[1, 1]\n2 * x * y_bar\n' '2 of 2 right at once: you are a sweep.'
asks '1\n[2, 4.001]\n' '  right; an adjoint has the shape of its value: [1, 1].'
asks '1\n[2, 4.001]\n' 'given: (true, true) (1, 1)'
asks '[1, 1]\n[2, 4.1]\n[4, 2]\n[2, 4]\n' 'given: (true, true) (1, 3)'
asks 'h\n1\n\n' '1 of 2: what is the adjoint of y #1, y = x * x?'
asks 'h\n1\n\n' '0 of 2 right at once. explain() tells the whole story; quiz() asks again.'
asks 'h\n1\n\n' 'given: (true, false) (1, 0)'
asks '1\nh\nh\n' '    the slope of y by x is x = [1, 2]'
asks '1\n\n' '  the adjoint of x is [2, 4]'
asks '"one"\n1 +\nnothing\n' 'given: () ()'
# at most so many questions; a long adjoint is asked for at one element
printf '1\n' | "$adl" -e 'w = attach_grad(ones(5, 4)); record < f = sum(w) >; quiz(f, most = 1)' |
    grep -qxF '1 of 1: what is element [0, 1] of the adjoint of w?' || echo 'no element asked for'
"$adl" -e 'x = attach_grad(2); record < f = x * x >; quiz(f, most = 0)' 2>&1 | grep -q 'at least 1 question' || echo 'most = 0'
"$adl" -e 'x = attach_grad(2); quiz(x)' </dev/null | grep -q '^There is nothing to ask' || echo 'a leaf'
