# Our driver inside a guest: it takes the virtual card by vfio-pci, behind a virtual IOMMU, and passes real traffic
# between a TAP device in the guest and one on the host.
# about: our driver in a guest, on our card, by VFIO
# speed: quick
# limit: 240
# inside: doorbell
# shellcheck disable=SC2154 # scenario.bash and machine.bash set what is used here
[[ $model == i225 ]] || skipped "our driver drives an I225, not an $model"
bring doorbell
connect a host
iperf3 -s > "$keep/iperf3.log" 2>&1 &
guest one --no-driver --iommu --card a "${brought[@]}" --timeout 200 vfio-traffic
