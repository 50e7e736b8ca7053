using System.Buffers.Binary;
using System.Text;

namespace MSOnlineBackup.Mounts.Nbd;

/// <summary>Writes answers, of several commands at a time, each part whole.</summary>
internal sealed class NbdReplies(Stream stream, bool isStructured) : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1);

    /// <summary>Whether answers are structured.</summary>
    public bool IsStructured => isStructured;

    /// <summary>An answer without structure: an error, or the data.</summary>
    public Task WriteSimpleAsync(NbdRequest request, NbdError error, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        byte[] head = new byte[16];
        BinaryPrimitives.WriteUInt32BigEndian(head, NbdProtocol.SimpleReplyMagic);
        BinaryPrimitives.WriteUInt32BigEndian(head.AsSpan(4), (uint)error);
        BinaryPrimitives.WriteUInt64BigEndian(head.AsSpan(8), request.Cookie);
        return SendAsync(head, data, cancellationToken);
    }

    /// <summary>A part with data of the disk.</summary>
    public Task WriteDataAsync(NbdRequest request, long offset, ReadOnlyMemory<byte> data, bool isLast, CancellationToken cancellationToken)
    {
        byte[] head = Head(request, NbdChunk.Data, isLast, own: 8, data.Length);
        BinaryPrimitives.WriteInt64BigEndian(head.AsSpan(20), offset);
        return SendAsync(head, data, cancellationToken);
    }

    /// <summary>A part that says where the disk has nothing.</summary>
    public Task WriteHoleAsync(NbdRequest request, long offset, uint length, bool isLast, CancellationToken cancellationToken)
    {
        byte[] head = Head(request, NbdChunk.Hole, isLast, own: 12, 0);
        BinaryPrimitives.WriteInt64BigEndian(head.AsSpan(20), offset);
        BinaryPrimitives.WriteUInt32BigEndian(head.AsSpan(28), length);
        return SendAsync(head, default, cancellationToken);
    }

    /// <summary>The one part that says what is a hole, and what is not.</summary>
    public Task WriteStatusAsync(NbdRequest request, IReadOnlyList<(uint Length, uint Flags)> extents, CancellationToken cancellationToken)
    {
        byte[] head = Head(request, NbdChunk.BlockStatus, isLast: true, own: 4 + (8 * extents.Count), 0);
        BinaryPrimitives.WriteUInt32BigEndian(head.AsSpan(20), NbdProtocol.AllocationId);
        for (int i = 0; i < extents.Count; i++)
        {
            BinaryPrimitives.WriteUInt32BigEndian(head.AsSpan(24 + (8 * i)), extents[i].Length);
            BinaryPrimitives.WriteUInt32BigEndian(head.AsSpan(28 + (8 * i)), extents[i].Flags);
        }

        return SendAsync(head, default, cancellationToken);
    }

    /// <summary>An error, in the form that the client takes: with it a structured answer ends.</summary>
    /// <param name="request">The command.</param>
    /// <param name="error">The error.</param>
    /// <param name="text">What is wrong, for people.</param>
    /// <param name="offset">Where on the disk; null where it is about nothing there.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public Task WriteErrorAsync(NbdRequest request, NbdError error, string text, long? offset, CancellationToken cancellationToken)
    {
        if (!isStructured)
        {
            return WriteSimpleAsync(request, error, default, cancellationToken);
        }

        byte[] message = Encoding.UTF8.GetBytes(text.Length > 1000 ? text[..1000] : text);
        byte[] head = Head(request, offset is null ? NbdChunk.Error : NbdChunk.ErrorAtOffset, isLast: true, own: 6 + message.Length + (offset is null ? 0 : 8), 0);
        BinaryPrimitives.WriteUInt32BigEndian(head.AsSpan(20), (uint)error);
        BinaryPrimitives.WriteUInt16BigEndian(head.AsSpan(24), (ushort)message.Length);
        message.CopyTo(head.AsSpan(26));
        if (offset is { } at)
        {
            BinaryPrimitives.WriteInt64BigEndian(head.AsSpan(26 + message.Length), at);
        }

        return SendAsync(head, default, cancellationToken);
    }

    public void Dispose() => _turn.Dispose();

    private static byte[] Head(NbdRequest request, NbdChunk type, bool isLast, int own, int data)
    {
        byte[] head = new byte[20 + own];
        BinaryPrimitives.WriteUInt32BigEndian(head, NbdProtocol.StructuredReplyMagic);
        BinaryPrimitives.WriteUInt16BigEndian(head.AsSpan(4), isLast ? NbdProtocol.Done : (ushort)0);
        BinaryPrimitives.WriteUInt16BigEndian(head.AsSpan(6), (ushort)type);
        BinaryPrimitives.WriteUInt64BigEndian(head.AsSpan(8), request.Cookie);
        BinaryPrimitives.WriteUInt32BigEndian(head.AsSpan(16), (uint)(own + data));
        return head;
    }

    private async Task SendAsync(ReadOnlyMemory<byte> head, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await stream.WriteAsync(head, cancellationToken).ConfigureAwait(false);
            if (!data.IsEmpty)
            {
                await stream.WriteAsync(data, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            _turn.Release();
        }
    }
}
