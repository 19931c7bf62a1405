n = 1e6; start = tic(); s = 0; i = 0;
while i < n s = s + i * 0.5; i = i + 1; end
printf("%.6g\n", toc(start) / n * 1e9);
