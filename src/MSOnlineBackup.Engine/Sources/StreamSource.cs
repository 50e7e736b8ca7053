using System.Text;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Sources;

/// <summary>
/// Standard input, or what a command writes, as a tree that is one file: the root. How long it is, nobody knows before
/// it ends; it is read once, in one go.
/// </summary>
internal sealed class StreamSource : ISourceTree
{
    private readonly byte[] _name;
    private readonly Item _item;

    /// <summary>Makes a source of a stream, which stays the caller's.</summary>
    /// <param name="name">What the file is called in the recovery point; takes the place of the root's path.</param>
    /// <param name="content">The bytes.</param>
    /// <param name="timeProvider">Tells the file's time: now.</param>
    public StreamSource(string name, Stream content, TimeProvider timeProvider)
    {
        _name = Encoding.UTF8.GetBytes(name);
        var entry = new ManifestEntry
        {
            Path = EntryPath.Root,
            Kind = EntryKind.File,
            Metadata = MadeMetadata.Of(EntryKind.File, ItemTime.From(timeProvider.GetUtcNow())),
        };
        _item = new Item(entry, new Content(name, content, entry));
    }

    /// <inheritdoc/>
    public ReadOnlyMemory<byte> RootPath => _name;

    /// <inheritdoc/>
    public string? FileSystem => null;

    /// <inheritdoc/>
    public bool IsMountPoint => false;

    /// <inheritdoc/>
    public IEnumerable<SourceItem> Walk(CancellationToken cancellationToken) => [_item];

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private sealed class Item(ManifestEntry entry, Content content) : SourceItem
    {
        public override ManifestEntry Entry => entry;

        public override BackupException? Failure => null;

        public override ManifestEntry ReadDetails() => entry;

        public override ISourceFile Open() => content;
    }

    private sealed class Content(string name, Stream content, ManifestEntry entry) : ISourceFile
    {
        private long _position;

        public bool TryGetDataRun(long offset, out long start, out long length)
        {
            start = offset;
            length = long.MaxValue - offset;
            return true;
        }

        /// <summary>Reads on. Only from where the last read ended.</summary>
        public int Read(long offset, Span<byte> destination)
        {
            ArgumentOutOfRangeException.ThrowIfNotEqual(offset, _position);
            try
            {
                int count = content.Read(destination);
                _position += count;
                return count;
            }
            catch (IOException exception)
            {
                throw new BackupException(
                    BackupErrorId.SourceUnreadable,
                    $"The input for '{name}' broke off after {_position} bytes: {exception.Message}",
                    "Find out why the program that wrote it failed, then run the backup again.",
                    name,
                    innerException: exception);
            }
        }

        public ManifestEntry Stat() => entry with { Size = _position };

        public void Dispose()
        {
        }
    }
}
