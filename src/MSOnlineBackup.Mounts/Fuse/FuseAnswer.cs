using System.Buffers.Binary;
using MSOnlineBackup.Engine.Views;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Mounts.Fuse;

/// <summary>An answer to the kernel: <c>struct fuse_out_header</c>, and what follows it. Written from the front, into a buffer that serves for many.</summary>
internal sealed class FuseAnswer
{
    /// <summary>Length of the header, in bytes.</summary>
    public const int HeaderLength = 16;

    /// <summary>Length of <c>struct fuse_attr</c>.</summary>
    private const int AttributesLength = 88;

    /// <summary>Length of <c>struct fuse_entry_out</c>.</summary>
    private const int EntryLength = 40 + AttributesLength;

    /// <summary>Length of <c>struct fuse_dirent</c> without the name.</summary>
    private const int FolderEntryLength = 24;

    private readonly byte[] _bytes;
    private int _length = HeaderLength;

    /// <summary>An answer of up to so many bytes beside the header.</summary>
    public FuseAnswer(int most) => _bytes = new byte[HeaderLength + most];

    /// <summary>Whether nothing was written beside the header.</summary>
    public bool IsEmpty => _length == HeaderLength;

    /// <summary>The room that is left.</summary>
    public Memory<byte> Room => _bytes.AsMemory(_length);

    /// <summary>Begins anew.</summary>
    public void Clear() => _length = HeaderLength;

    /// <summary>Takes bytes that were written into <see cref="Room"/>.</summary>
    public void Take(int count) => _length += count;

    /// <summary>The answer: what was written, or only an error where there is one.</summary>
    /// <param name="unique">What is answered.</param>
    /// <param name="error">0, or the number of an error.</param>
    public ReadOnlySpan<byte> Finish(ulong unique, int error)
    {
        int length = error == 0 ? _length : HeaderLength;
        BinaryPrimitives.WriteInt32LittleEndian(_bytes, length);
        BinaryPrimitives.WriteInt32LittleEndian(_bytes.AsSpan(4), -error);
        BinaryPrimitives.WriteUInt64LittleEndian(_bytes.AsSpan(8), unique);
        return _bytes.AsSpan(0, length);
    }

    /// <summary>Adds a number of 16 bits.</summary>
    public void Short(ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(Next(sizeof(ushort)), value);

    /// <summary>Adds a number of 32 bits.</summary>
    public void Number(uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Next(sizeof(uint)), value);

    /// <summary>Adds a number of 64 bits.</summary>
    public void Long(ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(Next(sizeof(ulong)), value);

    /// <summary>Adds bytes.</summary>
    public void Bytes(ReadOnlySpan<byte> bytes) => bytes.CopyTo(Next(bytes.Length));

    /// <summary>Adds zeros.</summary>
    public void Zeros(int count) => Next(count).Clear();

    /// <summary>Adds <c>struct fuse_attr_out</c>.</summary>
    public void Attributes(ViewItem item, FuseOwner owner, ulong seconds)
    {
        Long(seconds);
        Number(0);
        Number(0);
        Attributes(item, owner);
    }

    /// <summary>Adds <c>struct fuse_entry_out</c>.</summary>
    public void Entry(ViewItem item, FuseOwner owner, ulong seconds)
    {
        Long(item.Id);
        Long(0);
        Long(seconds);
        Long(seconds);
        Number(0);
        Number(0);
        Attributes(item, owner);
    }

    /// <summary>Adds <c>struct fuse_entry_out</c> of a name that is not there.</summary>
    public void NoEntry(ulong seconds)
    {
        Zeros(EntryLength);
        BinaryPrimitives.WriteUInt64LittleEndian(_bytes.AsSpan(_length - EntryLength + 16), seconds);
    }

    /// <summary>Adds <c>struct fuse_direntplus</c>; false where there is no room for it.</summary>
    /// <param name="item">The item; null for <c>.</c> and <c>..</c>, of which only the name is told.</param>
    /// <param name="name">Its name.</param>
    /// <param name="cookie">What the kernel gives back to go on after it.</param>
    /// <param name="owner">Who owns what has no owner.</param>
    /// <param name="seconds">How long all this holds.</param>
    /// <param name="most">How many bytes the answer may have beside its header.</param>
    public bool TryFolderEntry(ViewItem? item, ReadOnlySpan<byte> name, ulong cookie, FuseOwner owner, ulong seconds, int most)
    {
        int length = (EntryLength + FolderEntryLength + name.Length + 7) & ~7;
        if (_length - HeaderLength + length > most)
        {
            return false;
        }

        int end = _length + length;
        if (item is null)
        {
            Zeros(EntryLength);
        }
        else
        {
            Entry(item, owner, seconds);
        }

        Long(item?.FileNumber ?? cookie);
        Long(cookie);
        Number((uint)name.Length);
        Number(item is null ? 4 : (KindBits(item.Entry.Kind) >> 12));
        Bytes(name);
        Zeros(end - _length);
        return true;
    }

    private static uint KindBits(EntryKind kind) => kind switch
    {
        EntryKind.Directory => 0x4000,
        EntryKind.SymbolicLink => 0xA000,
        EntryKind.Fifo => 0x1000,
        EntryKind.Socket => 0xC000,
        EntryKind.CharacterDevice => 0x2000,
        EntryKind.BlockDevice => 0x6000,
        _ => 0x8000,
    };

    // What Windows has no permissions of POSIX for, everybody who sees it may read.
    private static uint PermissionsOf(ManifestEntry entry, PathForm form) =>
        form == PathForm.Posix ? entry.Metadata.Mode : entry.Kind == EntryKind.Directory ? 0x16du : 0x124u;

    // Programs look for holes only where a file takes less room than it has bytes. Of a file whose slices stand elsewhere that is not known.
    private static ulong BlocksOf(ManifestEntry entry)
    {
        if (entry.Content.Lists.Count > 0)
        {
            return Math.Max(1, ((ulong)entry.Size / 512) - 1);
        }

        ulong bytes = 0;
        for (int i = 0; i < entry.Content.Slices.Count; i++)
        {
            ContentSlice slice = entry.Content.Slices[i];
            bytes += slice.Chunk is null ? 0 : (ulong)slice.Length;
        }

        return (bytes + 511) / 512;
    }

    // As Linux packs the numbers of a device.
    private static uint PackDevice(ulong number)
    {
        uint major = (uint)(number >> 32);
        uint minor = (uint)(number & uint.MaxValue);
        return (minor & 0xff) | ((major & 0xfff) << 8) | ((minor & 0xfff00) << 12);
    }

    private void Attributes(ViewItem item, FuseOwner owner)
    {
        ManifestEntry entry = item.Entry;
        EntryMetadata metadata = entry.Metadata;
        bool isPosix = item.Form == PathForm.Posix;
        Long(item.FileNumber);
        Long((ulong)(entry.Kind == EntryKind.SymbolicLink ? entry.LinkTarget.Length : entry.Size));
        Long(BlocksOf(entry));
        Long(unchecked((ulong)metadata.Modified.Seconds));
        Long(unchecked((ulong)metadata.Modified.Seconds));
        Long(unchecked((ulong)metadata.Changed.Seconds));
        Number((uint)metadata.Modified.Nanoseconds);
        Number((uint)metadata.Modified.Nanoseconds);
        Number((uint)metadata.Changed.Nanoseconds);
        Number(KindBits(entry.Kind) | PermissionsOf(entry, item.Form));

        // Who walks trees takes 1 for "not known", and looks into all folders.
        Number(item.IsFolder ? 1 : Math.Max(1, metadata.LinkCount));
        Number(isPosix ? metadata.UserId : owner.User);
        Number(isPosix ? metadata.GroupId : owner.Group);
        Number(PackDevice(metadata.DeviceNumber));
        Number(4096);
        Number(0);
    }

    private Span<byte> Next(int count)
    {
        Span<byte> next = _bytes.AsSpan(_length, count);
        _length += count;
        return next;
    }
}

/// <summary>Who owns what no user of this system owned.</summary>
internal readonly record struct FuseOwner(uint User, uint Group);
