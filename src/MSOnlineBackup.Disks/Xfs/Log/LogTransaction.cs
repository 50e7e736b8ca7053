namespace MSOnlineBackup.Disks.Xfs.Log;

/// <summary>A transaction while it is read, and when it was committed.</summary>
/// <param name="lsn">The number of the record in which it begins.</param>
internal sealed class LogTransaction(ulong lsn)
{
    private const int HeaderLength = 16;
    private const int EntrySize = 96;

    private readonly List<LogItem> _items = [];
    private LogRegion? _header;

    private static ReadOnlySpan<byte> Magic => "NART"u8;

    public ulong Lsn => lsn;

    public IReadOnlyList<LogItem> Items => _items;

    /// <summary>About how many bytes of memory it takes.</summary>
    public long Size { get; private set; }

    /// <summary>Takes the next piece.</summary>
    /// <param name="continues">Whether it is a further part of the one before.</param>
    /// <exception cref="Vaults.Errors.BackupException">VolumeCorrupt.</exception>
    public void Add(ReadOnlySpan<byte> bytes, bool continues)
    {
        if (bytes.IsEmpty)
        {
            return;
        }

        Size += bytes.Length + EntrySize;
        if (_header is null)
        {
            // The header itself may be in parts.
            if (continues || bytes.Length > HeaderLength || bytes.Length < Magic.Length || !bytes[..Magic.Length].SequenceEqual(Magic))
            {
                throw XfsFault.Corrupt("a transaction of its log has no header");
            }

            _header = new LogRegion(bytes);
        }
        else if (_items.Count == 0 && continues)
        {
            _header.Add(bytes);
            if (_header.Span.Length > HeaderLength)
            {
                throw XfsFault.Corrupt("a transaction of its log has no header");
            }
        }
        else if (continues)
        {
            _items[^1].Last.Add(bytes);
        }
        else if (_items.Count == 0 || _items[^1].IsWhole)
        {
            _items.Add(new LogItem(bytes));
        }
        else
        {
            _items[^1].Add(bytes);
        }
    }
}
