"""What the project takes from others: licences, known faults, and the list of it all."""
