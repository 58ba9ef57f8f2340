"""What is particular to a language: letters, stop words, negations, cue words, direction."""
