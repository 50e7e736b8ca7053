namespace MSOnlineBackup.Platform.Windows;

/// <summary>A folder that shows what a program has, by its handle.</summary>
/// <param name="library">The library.</param>
/// <param name="context">PRJ_NAMESPACE_VIRTUALIZATION_CONTEXT.</param>
/// <param name="ended">Is called when it has ended; null for one that somebody else ends.</param>
internal sealed unsafe class Projection(ProjectionLibrary library, nint context, Action? ended = null) : IProjection
{
    private Action? _ended = ended;

    /// <inheritdoc/>
    public Guid Instance => Read().Instance;

    /// <inheritdoc/>
    public int Alignment => (int)Math.Clamp(Read().WriteAlignment, 1, 1 << 20);

    /// <inheritdoc/>
    public int WriteInfo(string path, in ProjectedInfo info)
    {
        var placeholder = new PrjPlaceholderInfo { Basic = PrjFileBasicInfo.Of(info) };
        return library.WriteInfo(context, path, &placeholder);
    }

    /// <inheritdoc/>
    public int WriteData(Guid stream, ReadOnlySpan<byte> content, long offset) => library.WriteData(context, stream, content, offset);

    /// <inheritdoc/>
    public int Delete(string path) => library.Delete(context, path);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _ended, null) is { } end)
        {
            // Returns when nobody is asked any more.
            library.Stop(context);
            end();
        }
    }

    // Where Windows does not say, every device takes 4 KiB.
    private PrjInstanceInfo Read()
    {
        PrjInstanceInfo info;
        return library.GetInstance(context, &info) >= 0 ? info : new PrjInstanceInfo { WriteAlignment = 4096 };
    }
}
