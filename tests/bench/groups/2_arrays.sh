# Ten million elements, ns an element.
programs arrays
for dtype in f64 f32; do
    row expression_$dtype "\`a * b + c * exp(-d)\`, $dtype" 'NumPy ≥ ×4, PyTorch ≥ ×2.5, C ≥ ×0.67'
    row swept_$dtype "its sum recorded and swept, $dtype" 'PyTorch ≥ ×3'
    row add_$dtype "\`a + b\`, $dtype" 'all ≥ ×1'
    row exp_$dtype "\`exp(a)\`, $dtype" 'all ≥ ×1'
    row tanh_$dtype "\`tanh(a)\`, $dtype" 'all ≥ ×3'
    row sum_$dtype "\`sum(a)\`, $dtype" 'all ≥ ×1'
    row softmax_$dtype "\`softmax(a)\`, $dtype" 'all ≥ ×1'
done

# Whole lines of a matrix, and reductions of expressions; f32, ns an element.
programs lines
for size in 1000x1000 100000x10; do
    row softmax_$size "\`softmax(x)\`, $size" 'all ≥ ×1'
    row softmax_swept_$size "the same recorded and swept, $size" 'all ≥ ×1'
    row log_softmax_$size "\`log_softmax(x)\`, $size" 'all ≥ ×1'
    row logsumexp_$size "\`logsumexp(x, -1)\`, $size" 'all ≥ ×1'
    row softmax_0_$size "\`softmax(x, 0)\`, $size" 'all ≥ ×1'
    row layer_norm_$size "\`layer_norm(x)\`, $size" 'all ≥ ×1'
    row layer_norm_swept_$size "the same recorded and swept, $size" 'all ≥ ×1'
    row cross_entropy_$size "\`cross_entropy(x, labels)\`, $size" 'all ≥ ×1'
    row cross_entropy_swept_$size "the same recorded and swept, $size" 'all ≥ ×1'
    row mean_of_squares_$size "\`mean((x - y)^2)\`, $size" 'all ≥ ×1'
    row mean_of_squares_swept_$size "the same recorded and swept, $size" 'all ≥ ×1'
    row sum_of_exp_1_$size "\`sum(exp(x), axis = 1)\`, $size" 'all ≥ ×1'
    row sum_of_exp_0_$size "\`sum(exp(x), axis = 0)\`, $size" 'all ≥ ×1'
    row mean_0_$size "\`mean(x * y, axis = 0)\`, $size" 'all ≥ ×1'
    row max_0_$size "\`max(x * y, axis = 0)\`, $size" 'all ≥ ×1'
    row sum_1_$size "\`sum(x, axis = 1)\`, $size" 'all ≥ ×1'
    row sum_0_$size "\`sum(x, axis = 0)\`, $size" 'all ≥ ×1'
    row cumsum_$size "\`cumsum(x, -1)\`, $size" 'all ≥ ×1'
    row sort_$size "\`sort(x)\`, $size" 'all ≥ ×1'
    row modulo_$size "\`x % 3\`, $size" 'all ≥ ×1'
done
