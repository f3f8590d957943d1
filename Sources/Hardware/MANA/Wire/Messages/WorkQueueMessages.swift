// Requests about send and receive queues: a work ring with its completion ring, known by an object's handle.
// Source: Linux mana.h (struct mana_create_wqobj_req, mana_destroy_wqobj_req, mana_fence_rq_req) of 6.12 and 7.x.

/// MANA_CREATE_WQ_OBJ.
public enum CreateWorkQueue: RequestLayout {
    public typealias Response = CreateWorkQueueResponse
    @inlinable public static var kind: RequestKind { .createWorkQueue }
    @inlinable public static var byteCount: Int { 96 }
    @inlinable public static var shortestByteCount: Int { 88 }
}

extension MessageField where Layout == CreateWorkQueue, Value == UInt64 {
    @inlinable public static var port: Self { .init(40) }
    @inlinable public static var workRegion: Self { .init(56) }
    @inlinable public static var completionRegion: Self { .init(64) }
}

extension MessageField where Layout == CreateWorkQueue, Value == UInt32 {
    /// `QueueType`: send or receive.
    @inlinable public static var type: Self { .init(48) }
    @inlinable public static var workRingBytes: Self { .init(72) }
    @inlinable public static var completionRingBytes: Self { .init(76) }
    @inlinable public static var moderationContext: Self { .init(80) }
    /// cq_parent_qid: the event queue's id, or `MANA.noEventQueue`.
    @inlinable public static var eventQueue: Self { .init(84) }
}

extension MessageField where Layout == CreateWorkQueue, Value == UInt8 {
    /// Version 2: allow_rqwqe_chain.
    @inlinable public static var allowsChains: Self { .init(88) }
    /// Version 3: the next two count.
    @inlinable public static var wantsModeration: Self { .init(89) }
}

extension MessageField where Layout == CreateWorkQueue, Value == UInt16 {
    @inlinable public static var moderationCompletions: Self { .init(90) }
    @inlinable public static var moderationMicroseconds: Self { .init(92) }
}

public enum CreateWorkQueueResponse: ResponseLayout {
    @inlinable public static var byteCount: Int { 56 }
    @inlinable public static var shortestByteCount: Int { 48 }
}

extension MessageField where Layout == CreateWorkQueueResponse, Value == UInt32 {
    @inlinable public static var workQueue: Self { .init(32) }
    @inlinable public static var completionQueue: Self { .init(36) }
}

extension MessageField where Layout == CreateWorkQueueResponse, Value == UInt64 {
    /// Not `MANA.noObject`.
    @inlinable public static var object: Self { .init(40) }
}

extension MessageField where Layout == CreateWorkQueueResponse, Value == UInt16 {
    /// Version 2: what came of the moderation that was asked for.
    @inlinable public static var moderationCompletions: Self { .init(48) }
    @inlinable public static var moderationMicroseconds: Self { .init(50) }
}

extension MessageField where Layout == CreateWorkQueueResponse, Value == UInt8 {
    @inlinable public static var isModerated: Self { .init(52) }
}

/// MANA_DESTROY_WQ_OBJ, which also frees the completion queue.
public enum DestroyWorkQueue: RequestLayout {
    public typealias Response = PlainResponse
    @inlinable public static var kind: RequestKind { .destroyWorkQueue }
    @inlinable public static var byteCount: Int { 56 }
}

extension MessageField where Layout == DestroyWorkQueue, Value == UInt32 {
    /// `QueueType`: send or receive.
    @inlinable public static var type: Self { .init(40) }
}

extension MessageField where Layout == DestroyWorkQueue, Value == UInt64 {
    @inlinable public static var object: Self { .init(48) }
}

/// MANA_FENCE_RQ: a completion `fence` follows on the queue.
public enum FenceReceiveQueue: RequestLayout {
    public typealias Response = PlainResponse
    @inlinable public static var kind: RequestKind { .fenceReceiveQueue }
    @inlinable public static var byteCount: Int { 48 }
}

extension MessageField where Layout == FenceReceiveQueue, Value == UInt64 {
    @inlinable public static var object: Self { .init(40) }
}
