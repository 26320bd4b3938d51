"""What a backtest and its suggestions say, in each format."""
