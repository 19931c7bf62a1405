. tests/terminal.sh
terminal 60 14
enters 'x = attach_grad([1, 2])' 'record < y = x * 2 >'
enters 'x' 'y' 'x.detach()' '{w: x, n: 1}'
sees 'adl> x
[1, 2]  # gradient slot
adl> y
[2, 4]  # on the tape
adl> x.detach()
[1, 2]
adl> {w: x, n: 1}
{w: [1, 2], n: 1}  # gradient slots'
enters 'ones(100, 3)'; sees 'shape [100, 3]'; sees '
adl>'; holds 'ones(100, 3)' || { echo 'higher than the screen:'; screen; }
enters 'ones(2, 3) / 3'; sees '[[0.333333, 0.333333, 0.333333],'
enters 'range(5000)'; sees 'shape [5000]'
enters 'range(2000).map(i -> i)'; sees 'length 2000'
resizes 20 14; enters '[1.25, 2, 3, 4, 5]'; sees '[1.25, 2, 3, 4, 5]'
enters '100 * range(10)'; sees '[  0, 100, 200, 300,'
enters '("表表表", "αβγ")'; sees '("表表表", "αβγ")'
enters '1 + 1;' '"done"'; sees 'adl> 1 + 1;
adl> "done"'
