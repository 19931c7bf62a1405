% Octave: the same operations; it has neither a softmax nor a sweep of its own.
n = 1e7;
for kind = {"f64", "f32"}
    dtype = kind{1};
    a = rand(n, 1) + .1; b = rand(n, 1) + .1; c = rand(n, 1) + .1; d = rand(n, 1) + .1;
    if strcmp(dtype, "f32") a = single(a); b = single(b); c = single(c); d = single(d); end
    say(["add_" dtype], @() a + b, n);
    say(["exp_" dtype], @() exp(a), n);
    say(["tanh_" dtype], @() tanh(a), n);
    say(["sum_" dtype], @() sum(a), n);
    say(["expression_" dtype], @() a .* b + c .* exp(-d), n);
end
