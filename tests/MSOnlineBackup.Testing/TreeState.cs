using System.Security.Cryptography;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Testing;

/// <summary>
/// What a tree is, as one line for each path: from the file system itself, or from what a recovery point holds of it. The
/// two come by different code, so a restore that compares them lies in nothing.
/// </summary>
public static class TreeState
{
    /// <summary>The state of a real tree; the root's own line has an empty path.</summary>
    public static SortedDictionary<string, string> Capture(string root)
    {
        var lines = new SortedDictionary<string, string>(StringComparer.Ordinal);
        Add(UnixFile.Raw(root), []);
        return lines;

        void Add(byte[] rootPath, byte[] path)
        {
            byte[] full = UnixFile.Join(rootPath, path);
            UnixFileState state = UnixFile.Stat(full);
            string content = state.Kind switch
            {
                UnixFileKind.File => HashFile(full),
                UnixFileKind.SymbolicLink => EntryName.Escape(UnixFile.ReadLink(full)),
                _ => "",
            };
            lines.Add(
                EntryName.Escape(path),
                Line(
                    state.Kind.ToString(), state.Mode, state.UserId, state.GroupId, state.Modified, state.Kind == UnixFileKind.File ? state.Size : 0, content));
            if (state.Kind == UnixFileKind.Directory)
            {
                foreach (byte[] name in UnixFile.List(full))
                {
                    Add(rootPath, path.Length == 0 ? name : UnixFile.Join(path, name));
                }
            }
        }
    }

    /// <summary>What a recovery point says of a source, every byte of it read.</summary>
    internal static async Task<SortedDictionary<string, string>> ReadAsync(IChunkReader chunks, ManifestRoot manifest, CancellationToken cancellationToken)
    {
        var lines = new SortedDictionary<string, string>(StringComparer.Ordinal);
        (ChunkId Id, ReadOnlyMemory<byte> Content) last = default;
        await foreach (ManifestEntry entry in new ManifestReader(chunks, manifest).ReadAsync(EntryPath.Root, cancellationToken))
        {
            string content = entry.Kind switch
            {
                EntryKind.File => await HashAsync(entry),
                EntryKind.SymbolicLink => EntryName.Escape(entry.LinkTarget.Span),
                _ => "",
            };
            EntryMetadata metadata = entry.Metadata;
            lines.Add(
                entry.Path.ToString(), Line(entry.Kind.ToString(), metadata.Mode, metadata.UserId, metadata.GroupId, metadata.Modified, entry.Size, content));
        }

        return lines;

        async Task<string> HashAsync(ManifestEntry entry)
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            await foreach (ContentSlice slice in new EntryContentReader(chunks).ReadAsync(entry.Content, cancellationToken))
            {
                if (slice.Chunk is not { } id)
                {
                    hash.AppendData(new byte[slice.Length]);
                    continue;
                }

                // Neighbours share a bundle.
                if (last.Id != id)
                {
                    last = (id, await chunks.ReadAsync(ChunkKind.Content, id, cancellationToken));
                }

                hash.AppendData(last.Content.Span.Slice(slice.Offset, (int)slice.Length));
            }

            return Convert.ToHexStringLower(hash.GetHashAndReset());
        }
    }

    private static string HashFile(byte[] path)
    {
        using FileStream file = UnixFile.Open(path, FileAccess.Read);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }

    // Of a link only the target counts: not all systems have modes of links.
    private static string Line(string kind, uint mode, uint user, uint group, ItemTime modified, long size, string content) =>
        $"{kind} {(kind == nameof(EntryKind.SymbolicLink) ? 0 : mode)} {user}:{group} {modified} {size} {content}";
}
