namespace MSOnlineBackup.Vaults.Storage;

/// <summary>What whoever may write to a vault's folder could do to its files.</summary>
/// <param name="root">The absolute path of the folder.</param>
/// <param name="location">The folder as the user wrote it, for messages.</param>
internal sealed class FolderAttack(string root, string location) : IVaultAttack
{
    /// <inheritdoc/>
    public ValueTask OverwriteAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => new(Run(
        name,
        path =>
        {
            // Objects are read-only files, which stops no attacker who owns them.
            File.SetAttributes(path, File.GetAttributes(path) & ~FileAttributes.ReadOnly);
            File.WriteAllBytes(path, content.Span);
        },
        cancellationToken));

    /// <inheritdoc/>
    public async ValueTask<bool> BackdateAsync(string name, DateTimeOffset created, CancellationToken cancellationToken)
    {
        await Run(name, path => File.SetLastWriteTimeUtc(path, created.UtcDateTime), cancellationToken).ConfigureAwait(false);
        return true;
    }

    /// <inheritdoc/>
    public ValueTask<StorageProtection?> ReadProtectionAsync(string name, CancellationToken cancellationToken) => new((StorageProtection?)null);

    private async Task Run(string name, Action<string> work, CancellationToken cancellationToken)
    {
        ObjectName.ThrowIfInvalid(name);
        try
        {
            await Task.Run(() => work(Path.Combine(root, name)), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure) when (FolderErrors.IsInputOutput(failure))
        {
            throw FolderErrors.Describe(failure, location, name);
        }
    }
}
