n = 1e5; x = ones(1, 8) * 0.999; y = ones(1, 8); start = tic(); i = 0;
while i < n y = y .* x; y = y + x; i = i + 1; end
printf("%.6g\n", toc(start) / (2 * n) * 1e9);
