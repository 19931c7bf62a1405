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
