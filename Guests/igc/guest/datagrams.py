"""Sends or receives a UDP datagram of each length, for the scenario offloads.

datagrams.py send ADDRESS PORT     lengths 1 to 1600: the last are fragments
datagrams.py receive PORT          lengths 1 to 1472, each made of the digit 7; ends with 1 if any is missing or differs
"""
import socket
import sys
import time


def send(address, port):
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for length in range(1, 1601):
        try:
            out.sendto(bytes(number & 255 for number in range(length)), (address, port))
        except ConnectionRefusedError:
            pass
        if length % 50 == 0:
            time.sleep(0.05)


def receive(port):
    incoming = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    incoming.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    incoming.bind(("", port))
    incoming.settimeout(30)
    missing = set(range(1, 1473))
    try:
        while missing:
            data = incoming.recv(2000)
            if data.strip(b"7"):
                sys.exit(f"a datagram of {len(data)} bytes has others than it should")
            missing.discard(len(data))
            incoming.settimeout(5)
    except TimeoutError:
        sys.exit(f"{len(missing)} did not come, the shortest of {min(missing)} bytes")


if sys.argv[1] == "send":
    send(sys.argv[2], int(sys.argv[3]))
else:
    receive(int(sys.argv[2]))
