using System.Globalization;
using System.Xml;
using Azure;
using Azure.Core;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.VirtualMachines.Azure.Management;

namespace MSOnlineBackup.VirtualMachines.Azure.Pages;

/// <summary>
/// A disk, or a moment of one, that is open as a page blob. What is throttled, or could not be answered, is asked again; where the address has ended meanwhile, the disk is opened anew. Thread-safe.
/// </summary>
/// <param name="access">How Azure is reached.</param>
/// <param name="grant">That it is open; it stays the caller's.</param>
/// <param name="name">The disk's name, for people.</param>
internal sealed class PageBlob(AzureAccess access, PageGrant grant, string name)
{
    /// <summary>How many bytes a page has.</summary>
    public const int PageBytes = 512;

    /// <summary>How many bytes are written at once, at most.</summary>
    public const int MostWritten = 4 << 20;

    /// <summary>How many bytes are asked for at once what they have: an answer about a large disk in many pieces would take longer than Azure waits.</summary>
    internal const long WindowBytes = 128L << 30;

    // The first whose lists are continued by markers is 2020-10-02.
    private const string Version = "2021-12-02";
    private const int MostListed = 10_000;
    private const int MostOpenings = 3;

    /// <summary>How many bytes it has.</summary>
    /// <exception cref="BackupException">VirtualMachineUnreachable, ….</exception>
    public async Task<long> ReadLengthAsync(CancellationToken cancellationToken)
    {
        using Response answer = await SendAsync(request => request.Method = RequestMethod.Head, null, "", "see how large it is", cancellationToken).ConfigureAwait(false);
        return Require(answer, 200).Headers.ContentLengthLong ?? throw ManagementErrors.Senseless("it does not say how large the disk is", grant.Path);
    }

    /// <summary>What is not zeroes of the bytes up to an end.</summary>
    /// <exception cref="BackupException">VirtualMachineUnreachable, ….</exception>
    public async Task<PageRuns> ListAsync(long end, CancellationToken cancellationToken) => (await ListAsync(end, null, cancellationToken).ConfigureAwait(false))!.Value.Written;

    /// <summary>What was written, and what was cleared and is zeroes, since an earlier moment of the disk; null where Azure cannot tell.</summary>
    /// <param name="end">Up to where.</param>
    /// <param name="previous">The earlier moment, opened too.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">VirtualMachineUnreachable, ….</exception>
    public Task<(PageRuns Written, PageRuns Cleared)?> ListChangesAsync(long end, PageGrant previous, CancellationToken cancellationToken) => ListAsync(end, previous, cancellationToken);

    /// <summary>Reads bytes, all within the blob.</summary>
    /// <exception cref="BackupException">VirtualMachineUnreachable, ….</exception>
    public async Task ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        using Response answer = await SendAsync(request => request.Headers.Add("x-ms-range", Range(offset, offset + destination.Length)), null, "", "read it", cancellationToken).ConfigureAwait(false);
        if (Require(answer, 206).ContentStream is not { } content || await content.ReadAtLeastAsync(destination, destination.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false) != destination.Length)
        {
            throw ManagementErrors.Senseless($"it has fewer bytes of the disk '{name}' than were asked for", grant.Path);
        }
    }

    /// <summary>Writes bytes: whole pages, at most <see cref="MostWritten"/>.</summary>
    /// <exception cref="BackupException">VirtualMachineUnreachable, ….</exception>
    public async Task WriteAsync(long offset, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        using Response answer = await SendAsync(
            request =>
            {
                request.Method = RequestMethod.Put;
                request.Headers.Add("x-ms-range", Range(offset, offset + content.Length));
                request.Headers.Add("x-ms-page-write", "update");
                request.Content = RequestContent.Create(content);
            },
            null,
            "comp=page",
            "write it",
            cancellationToken).ConfigureAwait(false);
        Require(answer, 201);
    }

    private async Task<(PageRuns Written, PageRuns Cleared)?> ListAsync(long end, PageGrant? previous, CancellationToken cancellationToken)
    {
        var written = new List<(long Start, long End)>();
        var cleared = new List<(long Start, long End)>();
        for (long start = 0; start < end; start = Math.Min(end, start + WindowBytes))
        {
            long until = Math.Min(end, start + WindowBytes);
            for (string? marker = ""; marker is not null;)
            {
                string query = $"comp=pagelist&maxresults={MostListed}{(marker.Length == 0 ? "" : "&marker=" + Uri.EscapeDataString(marker))}";
                using Response answer = await SendAsync(request => request.Headers.Add("x-ms-range", Range(start, until)), previous, query, "list what it has", cancellationToken).ConfigureAwait(false);
                if (previous is not null && answer.Status is 400 or 401 or 403 or 404 or 409 or 412)
                {
                    return null;
                }

                marker = Parse(Require(answer, 200), start, until, written, cleared);
            }
        }

        return (PageRuns.Of(written), PageRuns.Of(cleared));
    }

    // <PageList><PageRange><Start>0</Start><End>511</End></PageRange><ClearRange>…</ClearRange><NextMarker/></PageList>; the end is the last byte.
    private string? Parse(Response answer, long from, long until, List<(long Start, long End)> written, List<(long Start, long End)> cleared)
    {
        string? marker = null;
        bool isList = false;
        try
        {
            using var reader = XmlReader.Create(answer.ContentStream ?? Stream.Null, new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, IgnoreWhitespace = true, CloseInput = false });
            reader.MoveToContent();
            isList = reader.LocalName == "PageList";
            reader.Read();
            while (isList && reader.NodeType == XmlNodeType.Element)
            {
                string kind = reader.LocalName;
                if (kind is "PageRange" or "ClearRange")
                {
                    reader.ReadStartElement();
                    long start = reader.ReadElementContentAsLong("Start", "");
                    long last = reader.ReadElementContentAsLong("End", "");
                    reader.ReadEndElement();
                    if (start < 0 || last < start)
                    {
                        throw new XmlException("a range ends before it begins");
                    }

                    (kind == "PageRange" ? written : cleared).Add((Math.Max(start, from), Math.Min(last + 1, until)));
                }
                else if (kind == "NextMarker")
                {
                    marker = reader.ReadElementContentAsString();
                }
                else
                {
                    reader.Skip();
                }
            }
        }
        catch (Exception e) when (e is XmlException or FormatException or OverflowException)
        {
            throw ManagementErrors.Senseless($"the list of what the disk '{name}' has cannot be read ({e.Message.TrimEnd('.')})", grant.Path);
        }

        return isList ? (string.IsNullOrEmpty(marker) ? null : marker) : throw ManagementErrors.Senseless($"it is no list of what the disk '{name}' has", grant.Path);
    }

    private async Task<Response> SendAsync(Action<Request> prepare, PageGrant? previous, string query, string action, CancellationToken cancellationToken)
    {
        Uri? refused = null;
        Uri? refusedPrevious = null;
        for (int opening = 1; ; opening++)
        {
            Uri address = await grant.OpenAsync(refused, cancellationToken).ConfigureAwait(false);
            Uri? earlier = previous is null ? null : await previous.OpenAsync(refusedPrevious, cancellationToken).ConfigureAwait(false);
            using Request request = access.Pages.CreateRequest();
            request.Method = RequestMethod.Get;
            request.Uri.Reset(query.Length == 0 ? address : new UriBuilder(address) { Query = $"{query}&{address.Query.TrimStart('?')}" }.Uri);
            request.Headers.Add("x-ms-version", Version);
            if (earlier is not null)
            {
                request.Headers.Add("x-ms-previous-snapshot-url", earlier.AbsoluteUri);
            }

            prepare(request);
            Response answer;
            try
            {
                answer = await access.Pages.SendRequestAsync(request, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (e is not BackupException && !cancellationToken.IsCancellationRequested && ManagementErrors.From(e, address.Host, grant.Path) is { } known)
            {
                throw known;
            }

            if (answer.Status is 401 or 403 && opening < MostOpenings)
            {
                // It has ended, or somebody has closed it.
                answer.Dispose();
                (refused, refusedPrevious) = (address, earlier);
                continue;
            }

            if (answer.Status is 401 or 403 or 404 or 408 or 429 or >= 500 && previous is null)
            {
                using (answer)
                {
                    throw ManagementErrors.From(answer, $"{action}, the disk '{name}'", grant.Path);
                }
            }

            return answer;
        }
    }

    private Response Require(Response answer, int status) => answer.Status == status ? answer : throw ManagementErrors.From(answer, $"give or take bytes of the disk '{name}'", grant.Path);

    private static string Range(long start, long end) => string.Create(CultureInfo.InvariantCulture, $"bytes={start}-{end - 1}");
}
