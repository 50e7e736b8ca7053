using System.Diagnostics;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;

namespace MSOnlineBackup.Benchmarks;

/// <summary>
/// What a Blob Storage can do at all: the same bytes, in objects of the same sizes, eight at once, and nothing else.
/// AZURE_STORAGE_CONNECTION_STRING says which account.
/// </summary>
internal static class PlainTransfer
{
    private const int AtOnce = 8;

    /// <summary>How long it takes to send the files of a folder, which are read before, into a new container.</summary>
    public static async Task<TimeSpan> UploadAsync(string folder, string container)
    {
        BlobContainerClient client = Open(container);
        await client.CreateAsync();
        var files = new List<(string Name, byte[] Content)>();
        foreach (string path in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            files.Add((Path.GetRelativePath(folder, path), await File.ReadAllBytesAsync(path)));
        }

        var watch = Stopwatch.StartNew();
        await Parallel.ForEachAsync(files, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (file, stop) =>
            await client.GetBlobClient(file.Name).UploadAsync(
                new BinaryData(file.Content).ToStream(),
                new BlobUploadOptions { TransferOptions = new() { InitialTransferSize = file.Content.Length + 1 } },
                stop));
        return watch.Elapsed;
    }

    /// <summary>How long it takes to receive everything that a container holds.</summary>
    public static async Task<TimeSpan> DownloadAsync(string container)
    {
        BlobContainerClient client = Open(container);
        var watch = Stopwatch.StartNew();
        await Parallel.ForEachAsync(client.GetBlobsAsync(), new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (blob, stop) =>
        {
            using BlobDownloadStreamingResult answer = await client.GetBlobClient(blob.Name).DownloadStreamingAsync(cancellationToken: stop);
            await answer.Content.CopyToAsync(Stream.Null, stop);
        });
        return watch.Elapsed;
    }

    private static BlobContainerClient Open(string container) => new(
        Environment.GetEnvironmentVariable("AZURE_STORAGE_CONNECTION_STRING") ?? throw new InvalidOperationException("AZURE_STORAGE_CONNECTION_STRING is not set."),
        container);
}
