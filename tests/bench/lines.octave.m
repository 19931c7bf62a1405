% Octave keeps columns together where the others keep rows: a line is a column here.
for shape = {[1000 1000], [100000 10]}
    rows = shape{1}(1); columns = shape{1}(2); n = rows * columns;
    x = single(randn(columns, rows)); y = single(randn(columns, rows));
    note = @(name, step) say(sprintf("%s_%dx%d", name, rows, columns), step, n, .2);
    note("mean_of_squares", @() mean((x - y)(:) .^ 2));
    note("sum_of_exp_1", @() sum(exp(x), 1));
    note("sum_of_exp_0", @() sum(exp(x), 2));
    note("mean_0", @() mean(x .* y, 2));
    note("max_0", @() max(x .* y, [], 2));
    note("sum_1", @() sum(x, 1));
    note("sum_0", @() sum(x, 2));
    note("cumsum", @() cumsum(x, 1));
    note("sort", @() sort(x, 1));
    note("modulo", @() mod(x, 3));
end
