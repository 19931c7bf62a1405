# What step() says is in tests/tape/lib/step_through_a_network.80.txt; here is what it gives, and how it ends.
program='x = attach_grad(3); record < y = x * 2; f = y * x >; rows = step(f); print("rows", len(rows), rows)'
walks() {    # walks ANSWERS LINE: one of the lines printed
    printf "$1" | "$adl" -e "$program" | grep -qxF -- "$2" || echo "no \"$2\" after $1"
}
walks '' '  step ends here: there is no more input.'
walks '' 'rows 0 ()'
walks 'q\n' 'rows 0 ()'
walks '\n\n\n\n' 'f #2 is next: it is the head, and nothing uses it.'
walks '\n\n\n\n' '  x is not complete: it waits for y #1.'
walks '\n\n\n\n\n' 'y #1 is next: its only use, f #2, is done.'
walks '\n\n\n\n\n' '  x is complete: all its uses are done.'
walks '\n\n\n\n\n\n' '    the gradient of x is 12'
walks '\n\n\n\n\n\n' '        x is used more than once, so its terms add up: 6 + 6 = 12'
walks 'b\n' '  This is the beginning.'
walks '\n\nb\nb\n' '    x = 3 (a leaf, line 1)'
walks 'r\n\n\n= 10 * x\n\n' '    the gradient of x is 66'
walks 'r\n\n\n= 10 * x\n\n' '  You have set an adjoint, so these are not the gradients of f.'
walks 'r\n\n\n= 10\n=\n\n' '    the gradient of x is 12'
walks 'r\n= 2\n\n\n\n' '    the gradient of x is 24'
walks 'r\n\n= [1, 2]\n' '  this adjoint has shape [], and the value given [2]'
walks '= 2\n' '  An adjoint is set in the reverse sweep, where it is used: r goes there.'
walks 'r\n\ne\n' '    to x: g * y'
walks 'what\n' '  q      leave'
# walking changes nothing
printf '\n\n\n\n\n\n\n' | "$adl" -e "$program; backward(f); print(x.grad)" | tail -n 1 | grep -qx 12 || echo "the gradient changed"
