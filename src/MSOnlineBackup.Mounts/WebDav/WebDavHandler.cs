using System.Text;
using MSOnlineBackup.Mounts.Serving;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Mounts.WebDav;

/// <summary>Answers requests of WebDAV, class 1, for what is only read.</summary>
internal sealed class WebDavHandler(ServedTree tree, WebDavAccess access, Action<Exception> report)
{
    private const string Methods = "OPTIONS, GET, HEAD, PROPFIND";

    private static readonly string[] _writes = ["PUT", "DELETE", "MKCOL", "COPY", "MOVE", "PROPPATCH", "LOCK", "UNLOCK", "POST", "PATCH"];

    private readonly FolderAnswer _folders = new(tree, report);

    public async Task AnswerAsync(HttpExchange exchange, CancellationToken cancellationToken)
    {
        HttpHead request = exchange.Request;
        WebDavAccess.CheckHost(request);
        (IReadOnlyList<byte[]> names, bool isFolder) = DavPath.Parse(request.Target is "*" && request.Method == "OPTIONS" ? "/" : request.Target);
        if (request.Method == "OPTIONS")
        {
            // Windows asks this of the root before it says anything else. It is the same for all paths, there or not.
            await IgnoreBodyAsync(exchange, cancellationToken).ConfigureAwait(false);
            await exchange.Answer.BeginAsync(200, 0, [("Allow", Methods), ("DAV", "1"), ("MS-Author-Via", "DAV")], cancellationToken).ConfigureAwait(false);
            return;
        }

        bool isSecretInPath = access.CheckSecret(request, names);
        IReadOnlyList<byte[]> path = isSecretInPath ? [.. names.Skip(1)] : names;
        if (_writes.Contains(request.Method))
        {
            throw new HttpRefusal(403, "Recovery points are only read: nothing in them can be changed, locked or deleted.");
        }

        if (request.Method is not ("GET" or "HEAD" or "PROPFIND"))
        {
            throw new HttpRefusal(405, $"What is served here takes {Methods}.") { Headers = [("Allow", Methods)] };
        }

        bool withItems = request.Method == "PROPFIND" && IsDeep(request);
        PropertyRequest? properties = null;
        if (request.Method == "PROPFIND")
        {
            properties = PropertyRequest.Parse(await exchange.ReadBodyAsync(PropertyRequest.MaxLength, cancellationToken).ConfigureAwait(false));
        }
        else
        {
            await IgnoreBodyAsync(exchange, cancellationToken).ConfigureAwait(false);
        }

        ServedItem? item = await tree.FindAsync(path, cancellationToken).ConfigureAwait(false);
        if (item is null && await DamageMark.FindAsync(tree, path, cancellationToken).ConfigureAwait(false) is { } damage)
        {
            await AnswerMarkAsync(exchange, HrefOf(names, isFolder: false), properties, damage, cancellationToken).ConfigureAwait(false);
            return;
        }

        if (item is null || (isFolder && !item.IsFolder))
        {
            throw new HttpRefusal(404, "There is nothing by this name in the recovery point.");
        }

        string href = HrefOf(names, item.IsFolder);
        try
        {
            await (properties is not null ? _folders.WritePropertiesAsync(exchange, item, href, withItems, properties, cancellationToken)
                : item.IsFolder ? _folders.WritePageAsync(exchange, item, href, cancellationToken)
                : FileAnswer.WriteAsync(exchange, tree.View, item, cancellationToken)).ConfigureAwait(false);
        }
        catch (BackupException e) when (e.IsOfOneObject)
        {
            throw e.Of(item.Item.FullPath);
        }
    }

    private static async Task IgnoreBodyAsync(HttpExchange exchange, CancellationToken cancellationToken)
    {
        if (exchange.Request.HasBody)
        {
            await exchange.ReadBodyAsync(PropertyRequest.MaxLength, cancellationToken).ConfigureAwait(false);
        }
    }

    private static bool IsDeep(HttpHead request) => request.Get("Depth")?.Trim() switch
    {
        "0" => false,
        "1" => true,
        null or "infinity" or "Infinity" => throw new HttpRefusal(403, "Folders are listed one at a time: say 'Depth: 1'.")
        {
            Xml = "<?xml version=\"1.0\" encoding=\"utf-8\"?><D:error xmlns:D=\"DAV:\"><D:propfind-finite-depth/></D:error>",
        },
        _ => throw new HttpRefusal(400, "The depth of a PROPFIND is 0 or 1."),
    };

    // As the client wrote it, so that what is below begins with what it asked for.
    private static string HrefOf(IReadOnlyList<byte[]> names, bool isFolder)
    {
        var href = new StringBuilder("/");
        foreach (byte[] name in names)
        {
            href.Append(DavPath.Encode(name)).Append('/');
        }

        return isFolder || names.Count == 0 ? href.ToString() : href.ToString(0, href.Length - 1);
    }

    private static async Task AnswerMarkAsync(HttpExchange exchange, string href, PropertyRequest? properties, BackupException damage, CancellationToken cancellationToken)
    {
        if (properties is null)
        {
            throw damage;
        }

        var text = new StringBuilder();
        await using (var xml = System.Xml.XmlWriter.Create(text, new System.Xml.XmlWriterSettings { Async = true, OmitXmlDeclaration = true }))
        {
            var answer = new Multistatus(xml, properties);
            answer.Begin();
            answer.WriteMark(href);
            answer.End();
        }

        await exchange.Answer.WriteTextAsync(207, "application/xml", text.ToString(), [], cancellationToken).ConfigureAwait(false);
    }
}
