# What reading Linux's igc made us suspect, tried: see docs/upstream-suspicions.md. Two cards of one guest on a cable; the first
# stamp of each card comes 20 s late.
# about: suspected bugs of Linux's igc: reproduced, or not seen
# speed: slow
# needs: tools
# limit: 300
[[ $model == i225 ]] || skipped "late stamps are a fault that only our card can be given"
connect a b -- --stamp-fault 0=20000
guest one --card a --card b --image tools --memory 1G --cpus 4 --timeout 240 suspicions
