using System.Collections.Concurrent;
using MSOnlineBackup.Platform.Unix;

namespace MSOnlineBackup.Engine.Tests.Sources;

/// <summary>Linux with resource forks, as macOS shows them: an attribute of any length that is read and written at any offset. They lie in memory.</summary>
internal sealed class ForkedSystem : LinuxSystem
{
    private readonly ConcurrentDictionary<ulong, byte[]> _forks = [];

    public static ReadOnlySpan<byte> Fork => "com.apple.ResourceFork"u8;

    /// <summary>The longest piece that was read or written at once.</summary>
    public int LongestPiece { get; private set; }

    /// <summary>What each read of a fork gives, where it fails.</summary>
    public int? Failure { get; set; }

    /// <summary>The fork of a file; null where it has none.</summary>
    public byte[]? this[string path]
    {
        get => _forks.GetValueOrDefault(InodeOf(path));
        set => _forks[InodeOf(path)] = value!;
    }

    public override bool IsStream(ReadOnlySpan<byte> name) => name.SequenceEqual(Fork);

    public override int ListAttributes(UnixNode node, Span<byte> names)
    {
        int length = base.ListAttributes(node, names);
        if (length < 0 || Find(node) is null)
        {
            return length;
        }

        Fork.CopyTo(names[length..]);
        names[length + Fork.Length] = 0;
        return length + Fork.Length + 1;
    }

    public override int GetAttribute(UnixNode node, ReadOnlySpan<byte> name, Span<byte> value)
    {
        if (!IsStream(name))
        {
            return base.GetAttribute(node, name, value);
        }

        if (Find(node) is not { } fork)
        {
            return -Errno.NoAttribute;
        }

        // HFS+ gives what there is room for, and no error.
        int given = value.IsEmpty ? 0 : Math.Min(fork.Length, value.Length);
        fork.AsSpan(0, given).CopyTo(value);
        return value.IsEmpty ? fork.Length : given;
    }

    public override int RemoveAttribute(UnixNode node, ReadOnlySpan<byte> name)
    {
        if (!IsStream(name))
        {
            return base.RemoveAttribute(node, name);
        }

        return _forks.TryRemove(InodeOf(node), out _) ? 0 : -Errno.NoAttribute;
    }

    public override int ReadStream(int handle, ReadOnlySpan<byte> name, long offset, Span<byte> destination)
    {
        if (Failure is { } failure)
        {
            return failure;
        }

        byte[] fork = Find(new UnixNode(handle, -1, default)) ?? [];
        int count = (int)Math.Clamp(fork.Length - offset, 0, destination.Length);
        fork.AsSpan((int)Math.Min(offset, fork.Length), count).CopyTo(destination);
        LongestPiece = Math.Max(LongestPiece, destination.Length);
        return count;
    }

    public override int WriteStream(int handle, ReadOnlySpan<byte> name, long offset, ReadOnlySpan<byte> content)
    {
        ulong inode = InodeOf(new UnixNode(handle, -1, default));
        byte[] fork = _forks.GetValueOrDefault(inode) ?? [];
        Array.Resize(ref fork, (int)Math.Max(fork.Length, offset + content.Length));
        content.CopyTo(fork.AsSpan((int)offset));
        _forks[inode] = fork;
        LongestPiece = Math.Max(LongestPiece, content.Length);
        return 0;
    }

    private byte[]? Find(UnixNode node) => _forks.GetValueOrDefault(InodeOf(node));

    private ulong InodeOf(UnixNode node)
    {
        UnixStat stat = default;
        int result = node.IsOpen ? Stat(node.Handle, out stat) : Stat(node.At, node.Name, out stat);
        return result >= 0 ? stat.Inode : 0;
    }

    private ulong InodeOf(string path)
    {
        Xunit.Assert.True(Stat(-1, System.Text.Encoding.UTF8.GetBytes(path), out UnixStat stat) >= 0);
        return stat.Inode;
    }
}
