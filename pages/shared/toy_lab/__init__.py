"""The Toy lab's controls and state."""
