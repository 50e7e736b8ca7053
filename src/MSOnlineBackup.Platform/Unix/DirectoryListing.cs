using System.Buffers.Binary;

namespace MSOnlineBackup.Platform.Unix;

/// <summary>The names in one folder: one arena of bytes and 16 bytes a name, sorted by raw bytes. Reused from folder to folder.</summary>
internal sealed class DirectoryListing
{
    // What one outsized folder needed is not kept for the thousands of small ones that follow.
    private const int KeptArena = 1 << 20;
    private const int KeptNames = 1 << 15;

    private const int FirstArena = 256;
    private const int FirstNames = 16;

    private byte[] _arena = new byte[FirstArena];
    private Name[] _names = new Name[FirstNames];
    private int _used;

    /// <summary>How many names there are.</summary>
    public int Count { get; private set; }

    /// <summary>A name, in sorted order.</summary>
    public ReadOnlySpan<byte> this[int index] => _arena.AsSpan(_names[index].Offset, _names[index].Length);

    /// <summary>The length of the longest name, in bytes.</summary>
    public int LongestName { get; private set; }

    /// <summary>Forgets all names.</summary>
    public void Clear()
    {
        Count = 0;
        LongestName = 0;
        _used = 0;
        if (_arena.Length > KeptArena)
        {
            _arena = new byte[FirstArena];
        }

        if (_names.Length > KeptNames)
        {
            _names = new Name[FirstNames];
        }
    }

    /// <summary>Adds a name; <c>.</c> and <c>..</c> are left out. False where there is no room for any more.</summary>
    public bool TryAdd(ReadOnlySpan<byte> name)
    {
        if (name is [(byte)'.'] or [(byte)'.', (byte)'.'])
        {
            return true;
        }

        if (name.Length > Array.MaxLength - _used)
        {
            return false;
        }

        Reserve(ref _arena, _used, name.Length);
        Reserve(ref _names, Count, 1);
        name.CopyTo(_arena.AsSpan(_used));
        _names[Count++] = new Name(PrefixOf(name), _used, name.Length);
        _used += name.Length;
        LongestName = Math.Max(LongestName, name.Length);
        return true;
    }

    /// <summary>Sorts by raw bytes. A name that was told twice (file systems of programs and networks do) is there once.</summary>
    public void Sort()
    {
        _names.AsSpan(0, Count).Sort(new ByBytes(_arena));
        int kept = 0;
        for (int i = 0; i < Count; i++)
        {
            if (kept == 0 || !this[i].SequenceEqual(this[kept - 1]))
            {
                _names[kept++] = _names[i];
            }
        }

        Count = kept;
    }

    /// <summary>Whether a name is there. The listing must be sorted.</summary>
    public bool Contains(ReadOnlySpan<byte> name) => IndexOf(name, Count) >= 0;

    /// <summary>Whether a name is among the first, which must be sorted.</summary>
    public bool Contains(ReadOnlySpan<byte> name, int count) => IndexOf(name, count) >= 0;

    /// <summary>Forgets all names but one that is there.</summary>
    public void KeepOnly(ReadOnlySpan<byte> name)
    {
        _names[0] = _names[IndexOf(name, Count)];
        Count = 1;
    }

    private int IndexOf(ReadOnlySpan<byte> name, int count)
    {
        int low = 0;
        int high = count - 1;
        while (low <= high)
        {
            int middle = low + ((high - low) / 2);
            int order = this[middle].SequenceCompareTo(name);
            if (order == 0)
            {
                return middle;
            }

            if (order < 0)
            {
                low = middle + 1;
            }
            else
            {
                high = middle - 1;
            }
        }

        return -1;
    }

    private static void Reserve<T>(ref T[] array, int used, int more)
    {
        long needed = (long)used + more;
        if (needed > array.Length)
        {
            Array.Resize(ref array, (int)Math.Min(Math.Max(needed, 2L * array.Length), Array.MaxLength));
        }
    }

    private static ulong PrefixOf(ReadOnlySpan<byte> name)
    {
        Span<byte> first = stackalloc byte[8];
        first.Clear();
        name[..Math.Min(8, name.Length)].CopyTo(first);
        return BinaryPrimitives.ReadUInt64BigEndian(first);
    }

    // The first eight bytes as a number decide most comparisons without touching the arena.
    private readonly record struct Name(ulong Prefix, int Offset, int Length);

    private readonly struct ByBytes(byte[] arena) : IComparer<Name>
    {
        public int Compare(Name x, Name y)
        {
            int order = x.Prefix.CompareTo(y.Prefix);
            return order != 0
                ? order
                : arena.AsSpan(x.Offset, x.Length).SequenceCompareTo(arena.AsSpan(y.Offset, y.Length));
        }
    }
}
