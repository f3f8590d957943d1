// Requests about what an adapter's driver holds: event queues, memory regions, ranges of ids.
// Source: Linux gdma.h (struct gdma_create_queue_req, gdma_disable_queue_req, gdma_create_dma_region_req,
// gdma_dma_region_add_pages_req, gdma_destroy_dma_region_req, gdma_allocate_resource_range_req) of 6.12 and 7.x.

/// The kind of a queue in requests (enum gdma_queue_type).
@frozen public enum QueueType: UInt32, Sendable {
    case send = 1
    case receive = 2
    case completion = 3
    case event = 4
}

/// GDMA_CREATE_QUEUE; the network driver makes event queues alone with it.
public enum CreateQueue: RequestLayout {
    public typealias Response = CreateQueueResponse
    @inlinable public static var kind: RequestKind { .createQueue }
    @inlinable public static var byteCount: Int { 96 }
}

extension MessageField where Layout == CreateQueue, Value == UInt32 {
    /// `QueueType`.
    @inlinable public static var type: Self { .init(40) }
    @inlinable public static var protectionDomain: Self { .init(48) }
    @inlinable public static var doorbellPage: Self { .init(52) }
    @inlinable public static var ringBytes: Self { .init(68) }
    @inlinable public static var throttle: Self { .init(72) }
    /// eq_pci_msix_index.
    @inlinable public static var vector: Self { .init(76) }
    @inlinable public static var moderationContext: Self { .init(80) }
    @inlinable public static var parentEventQueue: Self { .init(84) }
}

extension MessageField where Layout == CreateQueue, Value == UInt64 {
    @inlinable public static var region: Self { .init(56) }
}

public enum CreateQueueResponse: ResponseLayout {
    @inlinable public static var byteCount: Int { 36 }
}

extension MessageField where Layout == CreateQueueResponse, Value == UInt32 {
    @inlinable public static var id: Self { .init(32) }
}

/// GDMA_DISABLE_QUEUE.
public enum DisableQueue: RequestLayout {
    public typealias Response = PlainResponse
    @inlinable public static var kind: RequestKind { .disableQueue }
    @inlinable public static var byteCount: Int { 52 }
}

extension MessageField where Layout == DisableQueue, Value == UInt32 {
    /// `QueueType`.
    @inlinable public static var type: Self { .init(40) }
    @inlinable public static var id: Self { .init(44) }
    /// alloc_res_id_on_creation, 1.
    @inlinable public static var wasAllocated: Self { .init(48) }
}

/// GDMA_CREATE_DMA_REGION: memory by pages, in an order of its own.
public enum CreateRegion: RequestLayout {
    public typealias Response = CreateRegionResponse
    @inlinable public static var kind: RequestKind { .createRegion }
    @inlinable public static var byteCount: Int { 64 }
}

extension MessageField where Layout == CreateRegion, Value == UInt64 {
    @inlinable public static var length: Self { .init(40) }
}

extension MessageField where Layout == CreateRegion, Value == UInt32 {
    /// Where in the first page it starts.
    @inlinable public static var offsetInPage: Self { .init(48) }
    /// 0: 4 KiB.
    @inlinable public static var pageType: Self { .init(52) }
    @inlinable public static var pageCount: Self { .init(56) }
    /// How many of the pages are listed here; the others come by `AddPages`.
    @inlinable public static var listedCount: Self { .init(60) }
}

extension MessageArray where Layout == CreateRegion, Value == UInt64 {
    @inlinable public static var pages: Self { .init(64, count: nil) }
}

public enum CreateRegionResponse: ResponseLayout {
    @inlinable public static var byteCount: Int { 40 }
}

extension MessageField where Layout == CreateRegionResponse, Value == UInt64 {
    /// Not 0.
    @inlinable public static var region: Self { .init(32) }
}

/// GDMA_DMA_REGION_ADD_PAGES.
public enum AddPages: RequestLayout {
    public typealias Response = PlainResponse
    @inlinable public static var kind: RequestKind { .addPages }
    @inlinable public static var byteCount: Int { 56 }
}

extension MessageField where Layout == AddPages, Value == UInt64 {
    @inlinable public static var region: Self { .init(40) }
}

extension MessageField where Layout == AddPages, Value == UInt32 {
    @inlinable public static var listedCount: Self { .init(48) }
}

extension MessageArray where Layout == AddPages, Value == UInt64 {
    @inlinable public static var pages: Self { .init(56, count: nil) }
}

/// GDMA_DESTROY_DMA_REGION, of one that no queue has taken.
public enum DestroyRegion: RequestLayout {
    public typealias Response = PlainResponse
    @inlinable public static var kind: RequestKind { .destroyRegion }
    @inlinable public static var byteCount: Int { 48 }
}

extension MessageField where Layout == DestroyRegion, Value == UInt64 {
    @inlinable public static var region: Self { .init(40) }
}

/// What a range of resources consists of; 27 is a doorbell page.
@frozen public enum ResourceType: UInt32, Sendable {
    case doorbellPage = 27
}

/// GDMA_ALLOCATE_RESOURCE_RANGE.
public enum AllocateResourceRange: RequestLayout {
    public typealias Response = AllocateResourceRangeResponse
    @inlinable public static var kind: RequestKind { .allocateResourceRange }
    @inlinable public static var byteCount: Int { 56 }
}

extension MessageField where Layout == AllocateResourceRange, Value == UInt32 {
    @inlinable public static var type: Self { .init(40) }
    @inlinable public static var count: Self { .init(44) }
    @inlinable public static var alignment: Self { .init(48) }
    @inlinable public static var first: Self { .init(52) }
}

public enum AllocateResourceRangeResponse: ResponseLayout {
    @inlinable public static var byteCount: Int { 36 }
}

extension MessageField where Layout == AllocateResourceRangeResponse, Value == UInt32 {
    @inlinable public static var first: Self { .init(32) }
}

/// GDMA_DESTROY_RESOURCE_RANGE.
public enum DestroyResourceRange: RequestLayout {
    public typealias Response = PlainResponse
    @inlinable public static var kind: RequestKind { .destroyResourceRange }
    @inlinable public static var byteCount: Int { 52 }
}

extension MessageField where Layout == DestroyResourceRange, Value == UInt32 {
    @inlinable public static var type: Self { .init(40) }
    @inlinable public static var count: Self { .init(44) }
    @inlinable public static var first: Self { .init(48) }
}
