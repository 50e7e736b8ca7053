using MSOnlineBackup.Platform.Unix;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Engine.Sources.Unix;

/// <summary>How the way to a source's root is followed.</summary>
internal static class UnixRootPath
{
    // Longer paths are opened in steps; the system takes 4,095 bytes (macOS: 1,023) at once.
    private const int MaxStep = 1000;

    /// <summary>
    /// Opens the folder that holds a root, however long its path is. Links on the way are followed. Returns a handle, or a negative error number.
    /// </summary>
    /// <param name="system">The calls.</param>
    /// <param name="path">Its absolute path, raw, with a '/' at its end.</param>
    public static int OpenFolder(UnixSystem system, ReadOnlySpan<byte> path)
    {
        int at = system.OpenBase(-1, "/"u8, followLink: true);
        path = path[1..];
        while (at >= 0 && !path.IsEmpty)
        {
            // A component longer than a step is longer than any name: the system says so.
            int end = path.Length <= MaxStep ? path.Length : path[..MaxStep].LastIndexOf((byte)'/') + 1;
            int next = system.OpenBase(at, end == 0 ? path : path[..end], followLink: true);
            UnixSystem.Close(at);
            at = next;
            path = end == 0 ? default : path[end..];
        }

        return at;
    }

    /// <summary>The absolute path to which the link at a root's place leads.</summary>
    /// <param name="parent">The folder that holds the link.</param>
    /// <param name="name">The link's name.</param>
    /// <param name="folder">The folder's path, raw, with a '/' at its end.</param>
    /// <param name="root">The root's path, for messages.</param>
    /// <exception cref="BackupException">SourceNotFound, SourceUnreadable.</exception>
    public static byte[] Follow(int parent, ReadOnlySpan<byte> name, ReadOnlySpan<byte> folder, byte[] root)
    {
        Span<byte> buffer = stackalloc byte[4096];
        int length = UnixSystem.ReadLink(parent, name, buffer);
        if (length <= 0)
        {
            throw UnixSourceError.OfRoot(length == 0 ? -Errno.NotFound : length, root);
        }

        ReadOnlySpan<byte> target = buffer[..length];
        if (target.Length > 1)
        {
            target = target.TrimEnd((byte)'/');
        }

        return target.IsEmpty ? "/"u8.ToArray() : target[0] == (byte)'/' ? target.ToArray() : [.. folder, .. target];
    }
}
