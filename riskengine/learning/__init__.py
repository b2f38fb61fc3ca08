"""What every trained model shares: the loop, settings, model files, checkpoints, threads, calibration, intervals."""
