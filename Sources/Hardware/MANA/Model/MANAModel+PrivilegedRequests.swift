// Requests of a physical function's own driver. Source: Linux mana_en.c (mana_pf_register_hw_vport,
// mana_pf_register_filter and their opposites) of 6.12 and 7.x.

import Ethernet
import MANAWire

extension MANAModel {
    private func checkPrivilege() throws(RequestRefusal) {
        guard needsFilters else { throw .notPermitted }
    }

    /// The driver does not say which port it opens; ports are taken in order.
    func registerHardwarePort(
        _: Message<RegisterHardwarePort>
    ) throws(RequestRefusal) -> Message<RegisterHardwarePortResponse> {
        try checkPrivilege()
        guard let port = adapter.ports.firstIndex(where: { !$0.isReplaced }) else { throw .exhausted }
        adapter.ports[port].handle = adapter.makeHandle()
        adapter.ports[port].isReplaced = true
        var response = Message<RegisterHardwarePortResponse>()
        response[.port] = adapter.ports[port].handle
        return response
    }

    func deregisterHardwarePort(
        _ request: Message<DeregisterHardwarePort>
    ) throws(RequestRefusal) -> Message<PlainResponse> {
        try checkPrivilege()
        let port = try adapter.port(request[.port])
        guard adapter.ports[port].isReplaced else { throw .notFound }
        adapter.ports[port].isReplaced = false
        path.ports[port].transmitOffset = nil
        path.ports[port].receives = false
        return Message()
    }

    func registerFilter(_ request: Message<RegisterFilter>) throws(RequestRefusal) -> Message<RegisterFilterResponse> {
        try checkPrivilege()
        let port = try adapter.port(request[.port])
        // One address per port.
        guard !adapter.filters.values.contains(where: { $0.port == port }) else { throw .exhausted }
        let address = MACAddress(bytes: InlineArray { request[.address, $0] })
        guard !address.isMulticast else { throw .invalid }
        path.ports[port].setAddress(address)
        let handle = adapter.makeHandle()
        adapter.filters[handle] = .init(port: port)
        var response = Message<RegisterFilterResponse>()
        response[.filter] = handle
        return response
    }

    func deregisterFilter(_ request: Message<DeregisterFilter>) throws(RequestRefusal) -> Message<PlainResponse> {
        try checkPrivilege()
        guard let filter = adapter.filters.removeValue(forKey: request[.filter]) else { throw .notFound }
        path.ports[filter.port].setAddress(nil)
        return Message()
    }
}
