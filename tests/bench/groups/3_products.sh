# Matrix products in f64, µs. C: cblas_dgemm called directly.
programs products
for n in 64 128 256 512 1024 2048; do row product_$n "\`a @ b\`, $n by $n, µs" 'C ≥ ×0.97'; done
