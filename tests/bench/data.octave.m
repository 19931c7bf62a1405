folder = getenv("BENCH_DATA");
start = tic(); table = csvread([folder "/table.csv"], 1, 0); printf("csv %.6g\n", toc(start) * 1e3);
