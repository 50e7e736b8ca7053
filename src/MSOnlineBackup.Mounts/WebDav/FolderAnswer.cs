using System.Globalization;
using System.Net;
using System.Text;
using System.Xml;
using MSOnlineBackup.Mounts.Serving;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Mounts.WebDav;

/// <summary>
/// What a folder holds, to programs and, in a browser, to people: a page of the view at a time, however large the folder is. Where the vault does not answer in the
/// middle, the answer breaks off.
/// </summary>
/// <param name="tree">What is served.</param>
/// <param name="report">Is told of damage.</param>
internal sealed class FolderAnswer(ServedTree tree, Action<Exception> report)
{
    /// <summary>Answers a PROPFIND of an item, and where it is a folder and wanted, of those in it.</summary>
    public async Task WritePropertiesAsync(HttpExchange exchange, ServedItem item, string href, bool withItems, PropertyRequest request, CancellationToken cancellationToken)
    {
        using var buffer = new MemoryStream();
        await using var xml = XmlWriter.Create(buffer, new XmlWriterSettings { Encoding = new UTF8Encoding(false), Async = true, CloseOutput = false });
        var answer = new Multistatus(xml, request);
        answer.Begin();
        answer.Write(href, item);
        if (withItems && item.IsFolder)
        {
            await WriteItemsAsync(
                item,
                served => answer.Write(HrefOf(href, served), served),
                mark =>
                {
                    answer.WriteMark(href + DavPath.Encode(DamageMark.Name));
                    answer.WriteError(href, mark.Message);
                },
                SendAsync,
                cancellationToken).ConfigureAwait(false);
        }

        answer.End();
        await SendAsync().ConfigureAwait(false);
        await exchange.Answer.EndAsync(cancellationToken).ConfigureAwait(false);

        async Task SendAsync()
        {
            if (!exchange.Answer.IsBegun)
            {
                await exchange.Answer.BeginChunkedAsync(207, [("Content-Type", "application/xml; charset=utf-8")], cancellationToken).ConfigureAwait(false);
            }

            await xml.FlushAsync().ConfigureAwait(false);
            await exchange.Answer.WriteAsync(buffer.GetBuffer().AsMemory(0, (int)buffer.Length), cancellationToken).ConfigureAwait(false);
            buffer.SetLength(0);
        }
    }

    /// <summary>Answers a GET of a folder.</summary>
    public async Task WritePageAsync(HttpExchange exchange, ServedItem folder, string href, CancellationToken cancellationToken)
    {
        string title = WebUtility.HtmlEncode(folder.Name.Length == 0 ? "Recovery point" : folder.Name);
        var page = new StringBuilder($"<!DOCTYPE html><html><head><meta charset=\"utf-8\"><title>{title}</title></head><body><h1>{title}</h1><table>\n");
        if (folder.Above is not null)
        {
            page.Append(CultureInfo.InvariantCulture, $"<tr><td><a href=\"{WebUtility.HtmlEncode(href[..(href[..^1].LastIndexOf('/') + 1)])}\">..</a></td></tr>\n");
        }

        await WriteItemsAsync(
            folder,
            item => page.Append(
                CultureInfo.InvariantCulture,
                $"<tr><td><a href=\"{WebUtility.HtmlEncode(HrefOf(href, item))}\">{WebUtility.HtmlEncode(item.Name)}{(item.IsFolder ? "/" : "")}</a></td><td align=\"right\">{(item.IsFolder ? "" : item.Item.Entry.Size.ToString("N0", CultureInfo.InvariantCulture))}</td><td>{(FileFacts.ModifiedOf(item.Item) is { } time ? time.UtcDateTime.ToString("u", CultureInfo.InvariantCulture) : "")}</td></tr>\n"),
            damage => page.Append(CultureInfo.InvariantCulture, $"<tr><td><strong>{DamageMark.Name}</strong></td><td></td><td>{WebUtility.HtmlEncode(damage.Message)}</td></tr>\n"),
            SendAsync,
            cancellationToken).ConfigureAwait(false);
        page.Append("</table></body></html>\n");
        await SendAsync().ConfigureAwait(false);
        await exchange.Answer.EndAsync(cancellationToken).ConfigureAwait(false);

        async Task SendAsync()
        {
            if (!exchange.Answer.IsBegun)
            {
                await exchange.Answer.BeginChunkedAsync(200, [("Content-Type", "text/html; charset=utf-8")], cancellationToken).ConfigureAwait(false);
            }

            await exchange.Answer.WriteAsync(Encoding.UTF8.GetBytes(page.ToString()), cancellationToken).ConfigureAwait(false);
            page.Clear();
        }
    }

    private static string HrefOf(string folder, ServedItem item) => $"{folder}{DavPath.Encode(item.Name)}{(item.IsFolder ? "/" : "")}";

    private async Task WriteItemsAsync(
        ServedItem folder, Action<ServedItem> write, Action<BackupException> writeDamage, Func<Task> sendAsync, CancellationToken cancellationToken)
    {
        var listing = new FolderListing(tree, folder);
        bool isMarkTaken = false;
        while (!listing.IsOver)
        {
            // Before anything is sent: what cannot be listed at all is an error.
            foreach (ServedItem item in await listing.NextAsync(cancellationToken).ConfigureAwait(false))
            {
                isMarkTaken |= item.Name == DamageMark.Name;
                write(item);
            }

            if (!listing.IsOver)
            {
                await sendAsync().ConfigureAwait(false);
            }
        }

        if (listing.Damage is { } damage)
        {
            report(damage.Of(folder.Item.FullPath));
            if (!isMarkTaken)
            {
                writeDamage(damage);
            }
        }
    }
}
