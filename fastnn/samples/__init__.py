"""What is learned from, checked: arrays, targets, weights; what outputs mean; metrics."""
