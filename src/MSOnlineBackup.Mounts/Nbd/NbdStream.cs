namespace MSOnlineBackup.Mounts.Nbd;

/// <summary>Reading from a client.</summary>
internal static class NbdStream
{
    /// <summary>Reads bytes that nobody wants.</summary>
    public static async Task SkipAsync(Stream stream, long length, CancellationToken cancellationToken)
    {
        byte[] scrap = new byte[Math.Min(length, 64 << 10)];
        while (length > 0)
        {
            int part = (int)Math.Min(length, scrap.Length);
            await stream.ReadExactlyAsync(scrap.AsMemory(0, part), cancellationToken).ConfigureAwait(false);
            length -= part;
        }
    }
}
