"""The five services side by side: the same requests to each, and the same answers from all."""
