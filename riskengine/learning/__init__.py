"""What every trained model shares: the loop, checkpoints, threads, calibration, model files and cards."""
