"""The crime score of Garrido Czacki (2021): its definition, and later the model that predicts it."""
