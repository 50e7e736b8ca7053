using MSOnlineBackup.Engine.Zstandard;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Zstandard;

/// <summary>Room for a frame's content between bytes that no decoder may touch.</summary>
internal sealed class GuardedRoom(int length)
{
    private const int Margin = 256;
    private const byte Guard = 0xA7;

    private readonly byte[] _memory = new byte[length + (2 * Margin)];

    /// <summary>Decodes a frame, and asserts that nothing was written beside the room.</summary>
    public bool Decode(ZstandardDecoder decoder, ReadOnlySpan<byte> frame)
    {
        _memory.AsSpan().Fill(Guard);

        bool decoded = decoder.TryDecode(frame, _memory.AsSpan(Margin, length));

        Assert.False(_memory.AsSpan(0, Margin).ContainsAnyExcept(Guard), "Wrote before the destination.");
        Assert.False(_memory.AsSpan(Margin + length).ContainsAnyExcept(Guard), "Wrote behind the destination.");
        return decoded;
    }
}
