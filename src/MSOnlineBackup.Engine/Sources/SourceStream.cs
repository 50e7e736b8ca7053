using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Sources;

/// <summary>A named stream of an item: an alternate data stream of Windows, or the resource fork of a file of macOS.</summary>
/// <param name="Name">Its raw name.</param>
/// <param name="Size">Its length in bytes, as the listing told.</param>
public sealed record SourceStream(ReadOnlyMemory<byte> Name, long Size)
{
    // Of the 2 MiB that all attributes of an entry may have together.
    private const long InlineRoom = 3 << 19;

    /// <summary>Its name, as text.</summary>
    public string ShownName => EntryName.Escape(Name.Span);

    /// <summary>
    /// Divides the streams of an item: short ones are read and stand among its attributes; those that are longer than 1 MiB, or for which the attributes have no
    /// room, are returned.
    /// </summary>
    /// <param name="streams">The streams.</param>
    /// <param name="open">Opens one; see <see cref="SourceItem.OpenStream"/>.</param>
    /// <param name="attributes">Gets the short ones.</param>
    internal static IReadOnlyList<SourceStream> Divide(IEnumerable<SourceStream> streams, Func<SourceStream, ISourceFile> open, List<EntryAttribute> attributes)
    {
        List<SourceStream>? others = null;
        long room = InlineRoom;
        foreach (SourceStream stream in streams)
        {
            if (stream.Size > Math.Min(ManifestFormat.MaxInlineStreamBytes, room))
            {
                (others ??= []).Add(stream);
                continue;
            }

            room -= stream.Size;
            using ISourceFile file = open(stream);
            byte[] content = new byte[stream.Size];
            int length = 0;
            while (length < content.Length && file.Read(length, content.AsSpan(length)) is > 0 and int read)
            {
                length += read;
            }

            attributes.Add(new EntryAttribute(AttributeTag.NamedStream, stream.Name, content.AsMemory(0, length)));
        }

        return others ?? [];
    }
}
