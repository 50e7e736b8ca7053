using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>
/// Says by what two entries of one path differ: only what a person sees of a file. When its inode was changed, and which number that has, does not count.
/// </summary>
/// <param name="chunks">Where content is: small files lie in bundles with others, whose names say nothing about each of them.</param>
/// <param name="damaged">Gets what would have had to be read and cannot be.</param>
internal sealed class EntryComparison(IChunkReader chunks, Action<BackupException> damaged)
{
    // What a backup puts into bundles. Larger files are cut by their content: the same bytes have the same chunks.
    private const long MostRead = 128 << 10;

    private const EntryFlags WithoutContent = EntryFlags.Unreadable | EntryFlags.Partial;

    // The bundles read last: files that lie in one come one after the other.
    private readonly (ChunkId Id, ReadOnlyMemory<byte> Content)[] _bundles = new (ChunkId, ReadOnlyMemory<byte>)[2];

    /// <summary>By what the entries differ; null where that cannot be known.</summary>
    public async ValueTask<ItemAspects?> CompareAsync(ManifestEntry earlier, ManifestEntry now, PathForm form, CancellationToken cancellationToken)
    {
        if (earlier.Kind != now.Kind)
        {
            return ItemAspects.Kind;
        }

        if (((earlier.Flags ^ now.Flags) & WithoutContent) != 0)
        {
            return null;
        }

        return await IsSameContentAsync(earlier, now, cancellationToken).ConfigureAwait(false) switch
        {
            true => CompareMetadata(earlier, now, form),
            false => CompareMetadata(earlier, now, form) | ItemAspects.Content,
            null => null,
        };
    }

    /// <summary>Whether two entries of one path are one version of it: of one kind, size and time of modification, and with the same bytes, or the same target.</summary>
    public async ValueTask<bool> IsSameVersionAsync(ManifestEntry earlier, ManifestEntry now, CancellationToken cancellationToken) =>
        earlier.Kind == now.Kind
        && (now.Kind == EntryKind.Directory || earlier.Metadata.Modified == now.Metadata.Modified)
        && ((earlier.Flags ^ now.Flags) & WithoutContent) == 0
        && earlier.LinkTarget.Span.SequenceEqual(now.LinkTarget.Span)
        && await IsSameContentAsync(earlier, now, cancellationToken).ConfigureAwait(false) == true;

    private static ItemAspects CompareMetadata(ManifestEntry earlier, ManifestEntry now, PathForm form)
    {
        (EntryMetadata before, EntryMetadata after) = (earlier.Metadata, now.Metadata);
        bool isFolder = now.Kind == EntryKind.Directory;
        return If(ItemAspects.Target, !earlier.LinkTarget.Span.SequenceEqual(now.LinkTarget.Span))
            | If(ItemAspects.Mode, before.Mode != after.Mode)
            | If(ItemAspects.Owner, before.UserId != after.UserId || before.GroupId != after.GroupId)
            | If(ItemAspects.Modified, !isFolder && before.Modified != after.Modified)
            | If(ItemAspects.Created, form == PathForm.Windows && before.Created != after.Created)
            | If(ItemAspects.Links, !isFolder && before.LinkCount != after.LinkCount && before.LinkCount != 0 && after.LinkCount != 0)
            | If(ItemAspects.Attributes, before.DeviceNumber != after.DeviceNumber || !HaveSameAttributes(earlier, now) || !HaveSameFields(earlier, now));

        static ItemAspects If(ItemAspects aspect, bool differs) => differs ? aspect : ItemAspects.None;
    }

    // Of attributes that could not be read nothing is known.
    private static bool HaveSameAttributes(ManifestEntry earlier, ManifestEntry now) =>
        earlier.HasAttribute(AttributeTag.Unread)
        || now.HasAttribute(AttributeTag.Unread)
        || (earlier.Attributes.Count == now.Attributes.Count
            && earlier.Attributes.Zip(now.Attributes).All(pair =>
                pair.First.Tag == pair.Second.Tag
                && pair.First.Name.Span.SequenceEqual(pair.Second.Name.Span)
                && pair.First.Value.Span.SequenceEqual(pair.Second.Value.Span)));

    private static bool HaveSameFields(ManifestEntry earlier, ManifestEntry now) =>
        earlier.UnknownFields.Count == now.UnknownFields.Count
        && earlier.UnknownFields.Zip(now.UnknownFields).All(pair => pair.First.Bit == pair.Second.Bit && pair.First.Value.Span.SequenceEqual(pair.Second.Value.Span));

    private async ValueTask<bool?> IsSameContentAsync(ManifestEntry earlier, ManifestEntry now, CancellationToken cancellationToken)
    {
        if (earlier.Size != now.Size)
        {
            return false;
        }

        if (earlier.Content.Slices.SequenceEqual(now.Content.Slices) && earlier.Content.Lists.SequenceEqual(now.Content.Lists))
        {
            return true;
        }

        if (now.Size > MostRead || earlier.Content.Lists.Count > 0 || now.Content.Lists.Count > 0)
        {
            return false;
        }

        try
        {
            // Both at once: the vault may be far away.
            byte[][] contents = await Task.WhenAll(ReadAsync(earlier, bundle: 0, cancellationToken), ReadAsync(now, bundle: 1, cancellationToken)).ConfigureAwait(false);
            return contents[0].AsSpan().SequenceEqual(contents[1]);
        }
        catch (BackupException e) when (e.IsDamage)
        {
            damaged(e);
            return null;
        }
    }

    private async Task<byte[]> ReadAsync(ManifestEntry entry, int bundle, CancellationToken cancellationToken)
    {
        byte[] content = new byte[entry.Size];
        int at = 0;
        foreach (ContentSlice slice in entry.Content.Slices)
        {
            if (slice.Chunk is { } id)
            {
                if (_bundles[bundle].Id != id || _bundles[bundle].Content.IsEmpty)
                {
                    _bundles[bundle] = (id, await chunks.ReadAsync(ChunkKind.Content, id, cancellationToken).ConfigureAwait(false));
                }

                ReadOnlyMemory<byte> bytes = _bundles[bundle].Content;
                if (slice.Offset + slice.Length > bytes.Length)
                {
                    throw VaultDamage.Corrupt(id.ToString(), "a file names more bytes of it than it has");
                }

                bytes.Slice(slice.Offset, (int)slice.Length).CopyTo(content.AsMemory(at));
            }

            at += (int)slice.Length;
        }

        return content;
    }
}
