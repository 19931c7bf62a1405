# One step of training, µs.
programs models
row logistic 'logistic regression, 200 by 10, one step, µs' 'PyTorch ≥ ×10'
row network 'network of 784, 256, 10 neurons, batch 64, f32, one step, µs' 'PyTorch ≥ ×1.15'
row lstm 'LSTM of 64 steps and 64 cells, batch 16, f32, forward and back, µs' 'PyTorch ≥ ×3'
row cells 'the same; PyTorch not by nn.LSTM but operation by operation too' 'PyTorch ≥ ×3'
row gru 'GRU of the same size, µs' 'PyTorch ≥ ×3'
row gated 'the same; PyTorch not by nn.GRU but operation by operation too' 'PyTorch ≥ ×3'
row conv2d 'conv2d 3 × 3, 16 to 32 channels, 28 × 28, batch 32, f32, with its sweep, µs' 'PyTorch ≥ ×1'
row conv2d_strided 'the same in steps of 2, µs' 'PyTorch ≥ ×1'
row max_pool '`max_pool(x, 2)` of 32 × 16 × 28 × 28, f32, with its sweep, µs' 'PyTorch ≥ ×1'
row convolutional 'network of two convolutions with max_pool, 28 × 28, batch 64, f32, one step, µs' 'PyTorch ≥ ×1'
