import sys
import time

print(1)
sys.stdout.flush()
sys.stdin.read()
