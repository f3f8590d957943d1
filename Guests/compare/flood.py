"""Sends frames of 60 bytes out of a device as fast as it takes them, until it is ended: flood.py DEVICE ADDRESS"""
import socket
import sys

device, address = sys.argv[1:]
out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
out.bind((device, 0))
# From an address that nobody has, with an EtherType for local experiments, which no kernel looks into.
frame = bytes.fromhex(address.replace(":", "")) + bytes.fromhex("02000000000188b5") + bytes(46)
while True:
    try:
        out.send(frame)
    except OSError:
        # The device's queue is full: that is as fast as it takes them.
        pass
