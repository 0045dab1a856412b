/* SPDX-License-Identifier: Apache-2.0 */
/* grpc_peer.cc: the asynchronous, generic interface of gRPC: one completion queue a side. */
#include "grpc_peer.h"
#include <cstdio>
#include <cstdlib>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <memory>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

namespace
{

constexpr char kName[] = "caisson.bench";
constexpr char kMethod[] = "/caisson.Bench/Echo";

/* ---- a P-256 key with its self-signed certificate ---- */
struct Identity {
    std::string key;
    std::string certificate;
};

template <class Write> std::string Pem(Write write)
{
    std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), BIO_free);
    char *bytes = nullptr;
    if (!bio || write(bio.get()) != 1) {
        return "";
    }
    long size = BIO_get_mem_data(bio.get(), &bytes);
    return std::string(bytes, static_cast<size_t>(size));
}

bool MakeIdentity(Identity *identity)
{
    std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
    std::unique_ptr<X509, decltype(&X509_free)> cert(X509_new(), X509_free);
    if (!key || !cert) {
        return false;
    }
    X509_NAME *name = X509_get_subject_name(cert.get());
    const auto *text = reinterpret_cast<const unsigned char *>(kName);
    if (X509_set_version(cert.get(), 2) != 1 ||
        ASN1_INTEGER_set(X509_get_serialNumber(cert.get()), 1) != 1 ||
        X509_gmtime_adj(X509_getm_notBefore(cert.get()), -60) == nullptr ||
        X509_gmtime_adj(X509_getm_notAfter(cert.get()), 86400) == nullptr ||
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0) != 1 ||
        X509_set_issuer_name(cert.get(), name) != 1 ||
        X509_set_pubkey(cert.get(), key.get()) != 1 ||
        X509_sign(cert.get(), key.get(), EVP_sha256()) == 0) {
        return false;
    }
    identity->key = Pem([&](BIO *bio) {
        return PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    });
    identity->certificate = Pem([&](BIO *bio) { return PEM_write_bio_X509(bio, cert.get()); });
    return !identity->key.empty() && !identity->certificate.empty();
}

/* ---- server: one call after another through read, write and the end ---- */
class ServerCall
{
  public:
    ServerCall(grpc::AsyncGenericService *service, grpc::ServerCompletionQueue *queue)
        : service_(service), queue_(queue), stream_(&context_)
    {
        service_->RequestCall(&context_, &stream_, queue_, queue_, this);
    }

    void Go(bool good)
    {
        if (state_ == State::kNew && good) {
            new ServerCall(service_, queue_); /* the next call's place */
            state_ = State::kRead;
            stream_.Read(&message_, this);
        } else if (state_ == State::kRead && good) {
            state_ = State::kEnd;
            stream_.WriteAndFinish(message_, grpc::WriteOptions(), grpc::Status::OK, this);
        } else {
            delete this;
        }
    }

  private:
    enum class State { kNew, kRead, kEnd } state_ = State::kNew;
    grpc::AsyncGenericService *service_;
    grpc::ServerCompletionQueue *queue_;
    grpc::GenericServerContext context_;
    grpc::GenericServerAsyncReaderWriter stream_;
    grpc::ByteBuffer message_;
};

/* ---- client: one place of those under way ---- */
struct ClientCall {
    std::unique_ptr<grpc::ClientContext> context;
    std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader;
    grpc::ByteBuffer answer;
    grpc::Status status;
};

bool IsSame(const grpc::ByteBuffer &answer, const std::string &sent)
{
    std::vector<grpc::Slice> slices;
    size_t at = 0;
    if (answer.Length() != sent.size() || !answer.Dump(&slices).ok()) {
        return false;
    }
    for (const grpc::Slice &slice : slices) {
        if (sent.compare(at, slice.size(), reinterpret_cast<const char *>(slice.begin()),
                         slice.size()) != 0) {
            return false;
        }
        at += slice.size();
    }
    return true;
}

} // namespace

struct grpc_peer {
    std::string folder;
    grpc::AsyncGenericService service;
    std::unique_ptr<grpc::ServerCompletionQueue> server_queue;
    std::unique_ptr<grpc::Server> server;
    std::thread thread;
    std::unique_ptr<grpc::GenericStub> stub;
    grpc::CompletionQueue queue;

    std::string Path() const
    {
        return folder + "/socket";
    }
    bool StartServer(const Identity &identity);
    bool StartClient(const Identity &identity);
    void Send(ClientCall *call, const grpc::ByteBuffer &request);
};

bool grpc_peer::StartServer(const Identity &identity)
{
    grpc::SslServerCredentialsOptions options;
    options.pem_key_cert_pairs.push_back({identity.key, identity.certificate});
    grpc::ServerBuilder builder;
    builder.AddListeningPort("unix:" + Path(), grpc::SslServerCredentials(options));
    builder.RegisterAsyncGenericService(&service);
    server_queue = builder.AddCompletionQueue();
    server = builder.BuildAndStart();
    if (!server) {
        return false;
    }
    new ServerCall(&service, server_queue.get());
    thread = std::thread([this] {
        void *tag = nullptr;
        bool good = false;
        while (server_queue->Next(&tag, &good)) {
            static_cast<ServerCall *>(tag)->Go(good);
        }
    });
    return true;
}

bool grpc_peer::StartClient(const Identity &identity)
{
    grpc::SslCredentialsOptions options;
    options.pem_root_certs = identity.certificate;
    grpc::ChannelArguments arguments;
    arguments.SetSslTargetNameOverride(kName);
    auto channel =
        grpc::CreateCustomChannel("unix:" + Path(), grpc::SslCredentials(options), arguments);
    stub = std::make_unique<grpc::GenericStub>(channel);
    return channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(10));
}

void grpc_peer::Send(ClientCall *call, const grpc::ByteBuffer &request)
{
    call->context = std::make_unique<grpc::ClientContext>();
    call->reader = stub->PrepareUnaryCall(call->context.get(), kMethod, request, &queue);
    call->reader->StartCall();
    call->reader->Finish(&call->answer, &call->status, call);
}

extern "C" struct grpc_peer *grpc_peer_start(void)
{
    char folder[] = "/tmp/caisson-bench-XXXXXX";
    Identity identity;
    if (mkdtemp(folder) == nullptr || !MakeIdentity(&identity)) {
        std::fprintf(stderr, "grpc: no folder or no certificate\n");
        return nullptr;
    }
    auto *peer = new grpc_peer;
    peer->folder = folder;
    if (!peer->StartServer(identity) || !peer->StartClient(identity)) {
        std::fprintf(stderr, "grpc: server or channel does not come up\n");
        grpc_peer_stop(peer);
        return nullptr;
    }
    return peer;
}

extern "C" uint64_t grpc_peer_run(struct grpc_peer *peer, uint32_t size, uint32_t in_flight,
                                  uint64_t count)
{
    std::vector<ClientCall> calls(in_flight);
    std::string bytes(size, 'x');
    grpc::Slice slice(bytes);
    grpc::ByteBuffer request(&slice, 1);
    uint64_t sent = 0;
    uint64_t good_count = 0;
    for (ClientCall &call : calls) {
        if (sent < count) {
            peer->Send(&call, request);
            sent++;
        }
    }
    for (uint64_t done = 0; done < count; done++) {
        void *tag = nullptr;
        bool good = false;
        if (!peer->queue.Next(&tag, &good)) {
            return good_count;
        }
        auto *call = static_cast<ClientCall *>(tag);
        good_count += good && call->status.ok() && IsSame(call->answer, bytes) ? 1 : 0;
        if (sent < count) {
            peer->Send(call, request);
            sent++;
        }
    }
    return good_count;
}

extern "C" void grpc_peer_stop(struct grpc_peer *peer)
{
    peer->stub.reset();
    peer->queue.Shutdown();
    if (peer->server) {
        peer->server->Shutdown(std::chrono::system_clock::now());
        peer->server_queue->Shutdown();
        peer->thread.join();
        peer->server.reset();
    }
    unlink(peer->Path().c_str());
    rmdir(peer->folder.c_str());
    delete peer;
}
