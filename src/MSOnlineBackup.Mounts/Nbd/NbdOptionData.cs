using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;

namespace MSOnlineBackup.Mounts.Nbd;

/// <summary>What an option says beside its number. Lengths in it are a client's word: each is held against what there is before anything is done with it.</summary>
internal ref struct NbdOptionData(ReadOnlySpan<byte> data)
{
    private ReadOnlySpan<byte> _rest = data;

    /// <summary>Reads INFO or GO: a name, and the numbers of what is asked.</summary>
    /// <returns>False where it is not that.</returns>
    public static bool TryReadInfo(ReadOnlySpan<byte> data, out NbdInfoRequest request)
    {
        request = default;
        var reader = new NbdOptionData(data);
        if (!reader.TryReadText(out byte[]? name) || !reader.TryReadUInt16(out ushort count) || reader._rest.Length != count * sizeof(ushort))
        {
            return false;
        }

        bool wantsBlockSize = false;
        bool wantsName = false;
        for (int i = 0; i < count; i++)
        {
            reader.TryReadUInt16(out ushort info);
            wantsBlockSize |= info == (ushort)NbdInfo.BlockSize;
            wantsName |= info == (ushort)NbdInfo.Name;
        }

        request = new NbdInfoRequest(name, wantsBlockSize, wantsName);
        return true;
    }

    /// <summary>Reads LIST_META_CONTEXT or SET_META_CONTEXT: a name, and what is looked for.</summary>
    /// <returns>False where it is not that.</returns>
    public static bool TryReadQueries(ReadOnlySpan<byte> data, out NbdQueries queries)
    {
        queries = default;
        var reader = new NbdOptionData(data);
        if (!reader.TryReadText(out byte[]? name) || !reader.TryReadUInt32(out uint count))
        {
            return false;
        }

        bool asksForAllocation = false;
        bool asksForNamespace = false;
        for (uint i = 0; i < count; i++)
        {
            if (!reader.TryReadText(out byte[]? query))
            {
                return false;
            }

            asksForAllocation |= query.AsSpan().SequenceEqual("base:allocation"u8);
            asksForNamespace |= query.AsSpan().SequenceEqual("base:"u8);
        }

        queries = new NbdQueries(name, count, asksForAllocation, asksForNamespace);
        return reader._rest.IsEmpty;
    }

    private bool TryReadText([NotNullWhen(true)] out byte[]? text)
    {
        text = null;
        if (!TryReadUInt32(out uint length) || length > NbdProtocol.MaxName || length > _rest.Length)
        {
            return false;
        }

        text = _rest[..(int)length].ToArray();
        _rest = _rest[(int)length..];
        return true;
    }

    private bool TryReadUInt16(out ushort number)
    {
        if (!BinaryPrimitives.TryReadUInt16BigEndian(_rest, out number))
        {
            return false;
        }

        _rest = _rest[sizeof(ushort)..];
        return true;
    }

    private bool TryReadUInt32(out uint number)
    {
        if (!BinaryPrimitives.TryReadUInt32BigEndian(_rest, out number))
        {
            return false;
        }

        _rest = _rest[sizeof(uint)..];
        return true;
    }
}

/// <summary>What INFO and GO ask.</summary>
internal readonly record struct NbdInfoRequest(byte[] Export, bool WantsBlockSize, bool WantsName);

/// <summary>What is looked for among the kinds of block status.</summary>
internal readonly record struct NbdQueries(byte[] Export, uint Count, bool AsksForAllocation, bool AsksForNamespace);
